"""A network between hosts that a test can cut: a small TCP proxy for each of them and each other one that it calls."""
import asyncio
import threading


class Link:
    """One way between two hosts: who calls, whom it calls."""

    def __init__(self):
        self.open = asyncio.Event()
        self.open.set()
        self.refuses = False
        self.writers = set()
        self.carried = 0  # bytes


class Links:
    """All of them; one thread carries what is said. A cut is `silent`, as when packets get lost: connections stay and say
    nothing, and go on when it is mended; or it `refuses`: connections break, and there are no new ones."""

    def __init__(self):
        self._links = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def url(self, caller, called, address, port):
        """Where `caller` finds `called`, who really is at that address."""
        return f"http://127.0.0.1:{self._do(self._listen(caller, called, address, port))}"

    async def _listen(self, caller, called, address, port):
        link = self._links[caller, called] = Link()
        server = await asyncio.start_server(lambda *streams: self._carry(link, address, port, *streams), "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def _carry(self, link, address, port, reader, writer):
        writers = [writer]
        try:
            if link.refuses:
                return
            link.writers.add(writer)
            await link.open.wait()
            there, back = await asyncio.open_connection(address, port)
            writers.append(back)
            link.writers.add(back)
            await asyncio.gather(self._pump(link, reader, back), self._pump(link, there, writer))
        except OSError:
            pass  # who is gone is gone for the other as well
        finally:
            for each in writers:
                link.writers.discard(each)
                each.transport.abort()

    @staticmethod
    async def _pump(link, reader, writer):
        while data := await reader.read(65536):
            await link.open.wait()
            link.carried += len(data)
            writer.write(data)
            await writer.drain()
        await link.open.wait()
        writer.write_eof()

    def carried(self, one, other):
        """How many bytes the two have exchanged so far."""
        return self._links[one, other].carried + self._links[other, one].carried

    def cut(self, one, other, refuses=False):
        self._do(self._set(one, other, False, refuses))

    def mend(self, one, other):
        self._do(self._set(one, other, True, False))

    async def _set(self, one, other, opened, refuses):
        for link in (self._links[one, other], self._links[other, one]):
            link.refuses = refuses
            if refuses:
                for writer in list(link.writers):
                    writer.transport.abort()
            elif opened:
                link.open.set()
            else:
                link.open.clear()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
