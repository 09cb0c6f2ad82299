"""The simulated Alibaba Cloud: relay tasks of ApsaraVideo Live (2016-11-01) and of ApsaraVideo RTC (2018-01-11)."""
