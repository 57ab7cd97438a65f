"""The pure rule: which days a patient uses opioids, when that goes beyond the limit, and how strong it is.

No Django, no clock, no I/O except the packaged formulary. Begin reading at `evaluate.py`.
"""
