"""Every write of this room.

`intake` takes in facts, `detection` opens and retracts, `request` is the clinic's side; `queue`, `questions` and
`determinations` are the insurer's.
"""
