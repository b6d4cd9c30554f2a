"""What a build may be made of: this project's own code, byte for byte, and the files of one version."""

from __future__ import annotations

import re
import tarfile
from collections.abc import AsyncIterator, Mapping
from pathlib import PurePosixPath

from esteira.deploy import context
from esteira.engineproxy.refused import RefusedError
from esteira.engineproxy.request import Chunks

_END = bytes(2 * tarfile.BLOCKSIZE)
_OF_A_VERSION = re.compile(r"bundle/srv/artefatos/\w[\w-]*/\w+/\w[\w.-]*")
_FOLDER = re.compile(r"bundle(/srv(/artefatos(/\w[\w-]*(/\w+)?)?)?)?")


def known() -> Mapping[str, bytes]:
    """The code that the API's image is built from, as it lies beside this proxy."""
    return context.code_files()


async def checked(archive: Chunks, code: Mapping[str, bytes]) -> AsyncIterator[bytes]:
    """The archive, file by file as it comes in, under headers of our own making.

    Raises RefusedError at the first member that is neither the project's code nor a version's.
    """
    source, folders = _Source(archive), {str(above) for name in code for above in PurePosixPath(name).parents}
    while any(block := await source.read(tarfile.BLOCKSIZE)):
        member = _member(block)
        if member.isdir() and not member.size and (member.name in folders or _FOLDER.fullmatch(member.name)):
            yield _header(member, 0o755)
        elif member.type == tarfile.REGTYPE and member.name in code:
            yield _header(member, 0o644) + await _same(source, member, code[member.name])
        elif member.type == tarfile.REGTYPE and _OF_A_VERSION.fullmatch(member.name):
            yield _header(member, 0o644)
            async for part in source.parts(member.size):
                yield part
        else:
            raise RefusedError(f"A build's context may not hold {member.name!r}, or not as what it is there")
        yield await source.padding(member.size)
    yield _END
    await source.rest()


async def _same(source: _Source, member: tarfile.TarInfo, wanted: bytes) -> bytes:
    content = await source.read(min(member.size, len(wanted)))
    if member.size != len(wanted) or content != wanted:
        raise RefusedError(f"{member.name} in the build's context is not the one of this project")
    return content


class _Source:
    """Bytes in the sizes that are asked for."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._held = b""

    async def read(self, size: int) -> bytes:
        parts = [part async for part in self.parts(size)]
        return b"".join(parts)

    async def parts(self, size: int) -> AsyncIterator[bytes]:
        while size:
            while not self._held:
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    raise RefusedError("The build's context ends too early", 400)
                self._held = chunk
            part, self._held = self._held[:size], self._held[size:]
            size -= len(part)
            yield part

    async def padding(self, size: int) -> bytes:
        """What fills a file of that size up to a whole block."""
        return bytes(len(await self.read(-size % tarfile.BLOCKSIZE)))

    async def rest(self) -> None:
        async for _ in self._chunks:
            continue


def _member(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeError) as error:
        raise RefusedError(f"The build's context is not a plain tar archive: {error}", 400) from None


def _header(member: tarfile.TarInfo, mode: int) -> bytes:
    ours = tarfile.TarInfo(member.name)
    ours.type, ours.size, ours.mode = member.type, member.size, mode
    return ours.tobuf(tarfile.USTAR_FORMAT)
