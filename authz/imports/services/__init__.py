"""Every write of this room: `runs` takes files in, `people` and `records` their lines."""

from authz.imports.services.runs import Progress, Source, take_in

__all__ = ["Progress", "Source", "take_in"]
