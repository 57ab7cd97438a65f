"""A TCP proxy before a server's unix socket, which can cut the line and stall it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

_CHUNK = 65_536


class Proxy:
    """Listens on 127.0.0.1 at `port` in a thread of its own and passes everything to and fro."""

    def __init__(self, socket: Path, port: int) -> None:
        self.port = port
        self._socket = socket
        self._is_open = True
        self._loop = asyncio.new_event_loop()
        self._lines: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError(f"nobody listens on port {self.port}")

    def cut(self) -> None:
        """Break every line, and refuse new ones until `mend`."""
        self._is_open = False
        self._loop.call_soon_threadsafe(self._break_all)

    def mend(self) -> None:
        """Take new lines again."""
        self._is_open = True

    def stop(self) -> None:
        """Break every line and listen no more."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def _break_all(self) -> None:
        for line in self._lines:
            line.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if not self._is_open:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, there_writer}
        self._lines |= pair
        both = [
            self._loop.create_task(_pass_on(reader, there_writer)),
            self._loop.create_task(_pass_on(there_reader, writer)),
        ]
        self._tasks.update(both)
        await asyncio.wait(both)
        self._tasks.difference_update(both)
        self._lines -= pair


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while part := await reader.read(_CHUNK):
            writer.write(part)
            await writer.drain()
    writer.close()
