"""Every write of this room: `answers` to questionnaires, `files` that clinics attach, `papers` that we render."""
