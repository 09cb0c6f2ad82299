"""The simulated Tencent Cloud: stream ingest tasks of TRTC (2019-07-22)."""
