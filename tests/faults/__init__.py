"""Everything that can go wrong while people work, on purpose, and the proof that nothing was lost or doubled.

`make faults` starts PostgreSQL, Valkey, web and worker processes, lets clients work through the API, and meanwhile
kills, freezes, cuts off and floods them by a seeded plan. Then everything is mended, and the database, the inboxes and
the mails are looked at from outside.
"""
