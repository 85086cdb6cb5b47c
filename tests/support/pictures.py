"""Pictures that somebody might post, good and hostile ones, made byte by byte where it matters."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

from mockface.images import portrait

FORMATS = ("JPEG", "PNG", "GIF", "BMP")
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"


def picture(
    image_format: str = "JPEG", size: tuple[int, int] = (300, 400), **options: Any
) -> bytes:
    """A picture that shows no face and carries no mark."""
    file = BytesIO()
    image = Image.effect_mandelbrot(size, (-3, -2.5, 2, 2.5), 100)
    image.save(file, image_format, **options)
    return file.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes = b"x", *, padding: int = 1200) -> bytes:
    """A PNG whose header says anything; the padding makes it large enough to be looked at."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    filling = png_chunk(b"tEXt", b"Comment\0" + b"." * padding)
    return PNG_START + header + filling + png_chunk(b"IDAT", pixels) + PNG_END


def one_pixel() -> bytes:
    return png(1, 1, zlib.compress(b"\0\x80"))


def bomb() -> bytes:
    """60,000 x 60,000 pixels in a file that is as small as the service takes one."""
    return png(60_000, 60_000, zlib.compress(bytes(100_000)), padding=900)


def deep_bomb(width: int = 4900, height: int = 4900) -> bytes:
    """As many pixels as are allowed, all grey, so that the file is a few kilobytes."""
    row = b"\0" + b"\x80" * width
    return png(width, height, zlib.compress(row * height, 9))


def animation(frames: int = 100) -> bytes:
    """A GIF with many frames."""
    file = BytesIO()
    images = [
        Image.linear_gradient("L").resize((120, 120 + n)).crop((0, 0, 120, 120))
        for n in range(frames)
    ]
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=20)
    return file.getvalue()


def animated_png() -> bytes:
    file = BytesIO()
    images = [Image.effect_noise((300, 400), 20 + number) for number in range(3)]
    images[0].save(file, "PNG", save_all=True, append_images=images[1:])
    return file.getvalue()


def archive() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("run.py", "print('something else')")
    return file.getvalue()


def gif_of(first_frame: tuple[int, int], blocks: bytes = b"\x01\x44\x00") -> bytes:
    """A GIF of 300 x 400 pixels; its first frame may say that it is larger."""
    head = b"GIF89a" + struct.pack("<HHBBB", 300, 400, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    comment = b"\x21\xfe" + (b"\xff" + b"." * 255) * 5 + b"\0"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, *first_frame, 0) + b"\x02" + blocks
    return head + comment + frame + b";"


def with_comment(comment: bytes) -> bytes:
    """A JPEG that says something in a comment."""
    return picture("JPEG", comment=comment)


def turned(orientation: int) -> bytes:
    """A JPEG whose stored pixels lie in one of the eight ways of Exif."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture("JPEG", exif=exif)


def many_scans(scans: int) -> bytes:
    """A progressive JPEG in which one scan is repeated."""
    data = picture("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


def damaged_pixels(image_format: str) -> bytes:
    """A file that is whole by all its lengths, and whose pixels are nonsense."""
    if image_format == "PNG":
        return png(300, 400, b"these are no pixels")
    if image_format == "GIF":
        return gif_of((300, 400), b"\xff" + b"\xff" * 255 + b"\0")
    data = picture("JPEG")
    tables = data.index(b"\xff\xc4")
    return data[: tables + 5] + b"\xff" * 16 + data[tables + 21 :]


REFUSED = {
    "no picture": b"this is a text" * 100,
    "a text that is called a picture": b"%!PS-Adobe" * 200,
    "another format": b"RIFF" + bytes(2000),
    "a bomb": bomb(),
    "no pixels": png(0, 400),
    "more pixels than are allowed": png(5001, 5000),
    "a PNG with an archive": picture("PNG") + archive(),
    "a PNG with an archive inside": picture("PNG")[:-12] + png_chunk(b"prVt", archive()) + PNG_END,
    "a JPEG with a page behind it": picture("JPEG") + b"<html><body>something else</body></html>",
    "a JPEG with a page inside": with_comment(b"<HTML><script>alert(1)</script>"),
    "a JPEG with a document": with_comment(b"%PDF-1.7 "),
    "a GIF with an archive": picture("GIF") + archive(),
    "a BMP with an archive": picture("BMP") + archive(),
    "a GIF whose frame is larger than itself": gif_of((60_000, 60_000)),
    "a GIF in crumbs": gif_of((300, 400), b"\x01\x44" * 150_000 + b"\0"),
    "a PNG in crumbs": PNG_START
    + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0))
    + png_chunk(b"tEXt", b"") * 150_000
    + png_chunk(b"IDAT", b"x")
    + PNG_END,
    "a PNG with a damaged chunk": picture("PNG").replace(b"IDAT", b"IDAU", 1),
    "a JPEG with hundreds of scans": many_scans(200),
    "a JPEG with no pixels": picture("JPEG")[:-2].partition(b"\xff\xda")[0].ljust(1100, b"\xff")
    + b"\xff\xd9",
    "a JPEG of filling only": b"\xff\xd8" + b"\xff" * 6_000_000,
    "a JPEG with two sizes": picture("JPEG").replace(
        b"\xff\xc0", b"\xff\xc0\0\x11\x08\xea\x60\xea\x60\x03" + bytes(9) + b"\xff\xc0", 1
    ),
    "a JPEG with something behind its thumbnail": picture("JPEG")
    + picture("JPEG", (30, 40))
    + b"something else",
    "a JPEG with a broken thumbnail behind it": picture("JPEG") + picture("JPEG", (30, 40))[:-20],
    "a one-pixel picture": one_pixel(),
} | {
    f"{name} that is cut off": data[: len(data) * 9 // 10]
    for name, data in {
        **{name: picture(name) for name in FORMATS},
        "a portrait": portrait(1),
        "a PNG portrait": portrait(1, "PNG"),
        "a progressive JPEG": picture("JPEG", progressive=True),
        "an animation": animation(),
    }.items()
}
"""Files that are no picture of a face; all of them have an allowed number of bytes."""

ACCEPTED = {
    **{name: picture(name) for name in FORMATS},
    "a portrait": portrait(1),
    "a PNG portrait": portrait(1, "PNG"),
    "an animation": animation(),
    "an animated PNG": animated_png(),
    "a progressive JPEG": picture("JPEG", progressive=True),
    "a JPEG with its thumbnail behind it": picture("JPEG") + picture("JPEG", (30, 40)),
    "a JPEG with padding": picture("JPEG") + bytes(16),
    "as many pixels as are allowed": deep_bomb(5000, 5000),
    "an interlaced GIF": picture("GIF", interlace=1),
    "a picture that lies on its side": turned(6),
    "a wrong Exif orientation": turned(77),
}
"""Sound pictures."""
