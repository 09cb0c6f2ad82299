"""What there is to know of one object, on one screen: `livetask-operator explain`.

Pure: what was found out comes in as a `Case`, lines come out. Who finds it out is `kube/finding_out.py`, and what the
operator itself knows of an object is told by `kube/knowing.py`.
"""
