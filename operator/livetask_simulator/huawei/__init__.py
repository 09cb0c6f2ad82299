"""The simulated Huawei Cloud: pull tasks of Live (v1)."""
