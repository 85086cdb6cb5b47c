"""Picture files that somebody might post, whole, odd, damaged and hostile ones."""

from __future__ import annotations

import random
import struct
import zipfile
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

from mockface.images import portrait

FORMATS = ("JPEG", "PNG", "GIF", "BMP")
SIZE = (300, 400)
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
_HEADER = slice(0, 33)  # of a PNG: its first bytes and IHDR


def picture(
    image_format: str = "JPEG",
    size: tuple[int, int] = SIZE,
    mode: str = "L",
    **options: Any,
) -> bytes:
    """A picture that shows no face and carries no mark."""
    image = Image.effect_mandelbrot(size, (-3, -2.5, 2, 2.5), 100)
    if mode == "I;16":
        image = Image.frombytes(
            mode, size, bytes(n for pixel in image.tobytes() for n in (0, pixel))
        )
    elif mode != "L":
        image = image.convert("RGB").convert(mode)
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def jpeg_segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(*segments: bytes, data: bytes | None = None) -> bytes:
    """A JPEG with this behind its first two bytes."""
    data = picture() if data is None else data
    return data[:2] + b"".join(segments) + data[2:]


def exif(orientation: int, order: str = "<") -> bytes:
    """A segment of Exif data that says how the pixels are stored."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    return jpeg_segment(0xE1, b"Exif\0\0" + start + struct.pack(f"{order}I", 8) + entry + bytes(4))


def turned(orientation: int, order: str = "<") -> bytes:
    """A JPEG whose stored pixels lie in one of the eight ways of Exif."""
    return with_segments(exif(orientation, order))


def with_comment(comment: bytes) -> bytes:
    """A JPEG that says something in a comment."""
    return picture("JPEG", comment=comment)


def between_segments(filling: bytes) -> bytes:
    """A JPEG with something in front of each table."""
    head, scan, pixels = picture().partition(b"\xff\xda")
    for marker in (b"\xff\xdb", b"\xff\xc0", b"\xff\xc4"):
        head = head.replace(marker, filling + marker)
    return head + scan + pixels


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(chunk: bytes, data: bytes | None = None) -> bytes:
    """A PNG with a chunk behind its header."""
    data = picture("PNG") if data is None else data
    return data[_HEADER] + chunk + data[33:]


def png(
    width: int,
    height: int,
    pixels: bytes = b"x",
    *,
    padding: int = 1200,
    bits: int = 8,
    colours: int = 0,
) -> bytes:
    """A PNG whose header says anything; the padding makes it large enough to be looked at."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))
    filling = png_chunk(b"tEXt", b"Comment\0" + b"." * padding)
    return PNG_START + header + filling + png_chunk(b"IDAT", pixels) + PNG_END


def deep_png(colours: int, samples: int) -> bytes:
    """A PNG with 16 bits a sample."""
    row = b"\0" + random.Random(1).randbytes(SIZE[0] * samples * 2)
    return png(*SIZE, zlib.compress(row * SIZE[1]), bits=16, colours=colours)


def png_in_pieces() -> bytes:
    """A PNG with its pixels in chunks of 100 bytes."""
    head, _, rest = picture("PNG").partition(b"IDAT")
    (length,) = struct.unpack(">I", head[-4:])
    pieces = [png_chunk(b"IDAT", rest[at : min(at + 100, length)]) for at in range(0, length, 100)]
    return head[:-4] + b"".join(pieces) + PNG_END


def bomb() -> bytes:
    """60,000 x 60,000 pixels in a file that is as small as the service takes one."""
    return png(60_000, 60_000, zlib.compress(bytes(100_000)), padding=900)


def deep_bomb(width: int = 5000, height: int = 5000) -> bytes:
    """As many pixels as are allowed, all grey, so that the file is a few kilobytes."""
    row = b"\0" + b"\x80" * width
    return png(width, height, zlib.compress(row * height, 9))


def jpeg_bomb() -> bytes:
    """A JPEG that says that it has 60,000 x 60,000 pixels."""
    data = picture()
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", 60_000, 60_000) + data[at + 4 :]


def bmp_bomb() -> bytes:
    data = picture("BMP")
    return data[:18] + struct.pack("<ii", 60_000, 60_000) + data[26:]


def animation(image_format: str = "GIF", frames: int = 50, **options: Any) -> bytes:
    """Many frames."""
    file = BytesIO()
    images = [
        Image.linear_gradient("L").resize((300, 400 + n)).crop((0, 0, *SIZE)) for n in range(frames)
    ]
    images[0].save(
        file, image_format, save_all=True, append_images=images[1:], duration=20, **options
    )
    return file.getvalue()


def archive() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("run.py", "print('something else')")
    return file.getvalue()


def gif_of(first_frame: tuple[int, int], blocks: bytes = b"\x01\x44\x00", left: int = 0) -> bytes:
    """A GIF of 300 x 400 pixels; its first frame may be smaller, or say that it is larger."""
    head = b"GIF89a" + struct.pack("<HHBBB", *SIZE, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    comment = b"\x21\xfe" + (b"\xff" + b"." * 255) * 5 + b"\0"
    frame = b"\x2c" + struct.pack("<HHHHB", left, left, *first_frame, 0) + b"\x02" + blocks
    return head + comment + frame + b";"


def bmp_of(bits: int, packing: int, pixels: bytes, masks: bytes = b"", colours: int = 0) -> bytes:
    """A BMP by its header; the colours of its table are all black."""
    table = masks + bytes(4 * colours)
    start = 14 + 40 + len(table)
    head = struct.pack(
        "<IiiHHIIiiII", 40, *SIZE, 1, bits, packing, len(pixels), 0, 0, colours, colours
    )
    file = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
    return file + head + table + pixels


def top_down_bmp() -> bytes:
    data = picture("BMP")
    return data[:22] + struct.pack("<i", -400) + data[26:]


def os2_bmp() -> bytes:
    pixels = bytes(300 * 3) * 400
    head = struct.pack("<IHHHH", 12, *SIZE, 1, 24)
    return struct.pack("<2sIHHI", b"BM", 26 + len(pixels), 0, 0, 26) + head + pixels


def many_scans(scans: int, size: tuple[int, int] = SIZE) -> bytes:
    """A progressive JPEG in which one scan is repeated."""
    file = BytesIO()
    Image.new("RGB", size, (90, 120, 150)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
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


def isobmff(brand: bytes) -> bytes:
    """The start of a HEIC or AVIF file, or of the video behind a motion photo."""
    return struct.pack(">I4s4sI", 24, b"ftyp", brand, 0) + b"mif1" + brand + bytes(2000)


_NOISE = random.Random(2).randbytes(3_000_000)
_PROFILE = b"\0\0\0\0none\2\0\0\0" + random.Random(3).randbytes(400_000)
_PAGE = b"<!DOCTYPE html><html><svg><script>alert(1)</script><?php %PDF-1.7 "
_TEXT = b"text " * 400_000

_TRAILERS = {
    "zeros": bytes(5000),
    "ones": b"\xff" * 5000,
    "a second end": b"\xff\xd9",
    "Samsung's data": b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1700000000000SEFH"
    + bytes(40)
    + b"SEFT",
    "a motion photo's video": isobmff(b"mp42") + _NOISE,
    "a thumbnail": picture("JPEG", (30, 40)),
    "a thumbnail that is cut off": picture("JPEG", (30, 40))[:-20],
    "an archive": archive(),
    "a page": _PAGE,
}
_METADATA = {
    "XMP": jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"),
    "Photoshop data": jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\xff\xff"),
    "3 MB of segments": b"".join(
        jpeg_segment(0xE7, _NOISE[at : at + 60_000]) for at in range(0, len(_NOISE), 60_000)
    ),
    "a page": jpeg_segment(0xFE, _PAGE),
    "an index of more pictures": jpeg_segment(0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff"),
    "empty Exif data": jpeg_segment(0xE1, b""),
    "Exif data without a directory": jpeg_segment(0xE1, b"Exif\0\0"),
    "Exif data that point outside": jpeg_segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "Exif data that are cut off": jpeg_segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"),
    "a wrong orientation": exif(77),
    "filling": b"\xff" * 500,
}

TAKEN: dict[str, bytes] = {
    "a portrait": portrait(1),
    "a PNG portrait": portrait(1, "PNG"),
    "as many pixels as are allowed": deep_bomb(),
    **{f"{name} in grey": picture(name) for name in FORMATS},
    **{f"a JPEG in {mode}": picture(mode=mode) for mode in ("RGB", "CMYK", "YCbCr", "1")},
    **{f"a JPEG of quality {n}": picture(mode="RGB", quality=n) for n in (1, 30, 100)},
    **{f"a JPEG with sampling {n}": picture(mode="RGB", subsampling=n) for n in range(3)},
    **{
        f"a progressive JPEG in {mode}": picture(mode=mode, progressive=True)
        for mode in ("L", "RGB", "CMYK")
    },
    "an optimized JPEG": picture(mode="RGB", optimize=True),
    "a JPEG with restarts": picture(restart_marker_blocks=3),
    "a JPEG with restarts after rows": picture(progressive=True, restart_marker_rows=1),
    "a JPEG with hundreds of scans": many_scans(300),
    "a JPEG with a large profile": picture(icc_profile=_PROFILE),
    "a JPEG without JFIF": picture()[:2] + picture()[20:],
    "a large JPEG": picture(size=(4000, 3000), mode="RGB"),
    "a large progressive JPEG": picture(size=(4000, 3000), progressive=True),
    **{f"a JPEG that lies in way {n}": turned(n) for n in range(1, 9)},
    **{f"a JPEG that lies in way {n}, big-endian": turned(n, ">") for n in (3, 6, 8)},
    **{f"a JPEG with {name}": with_segments(data) for name, data in _METADATA.items()},
    **{f"a JPEG with {name} behind it": picture() + data for name, data in _TRAILERS.items()},
    "a JPEG with zeros between segments": between_segments(bytes(7)),
    "a JPEG with text between segments": between_segments(b"gap"),
    "a JPEG with filling between segments": between_segments(b"\xff\xff\xff"),
    "an MPO": animation("MPO", 2),
    **{
        f"a PNG in {mode}": picture("PNG", mode=mode)
        for mode in ("1", "LA", "P", "RGB", "RGBA", "I;16")
    },
    **{f"a PNG in {2**bits} colours": picture("PNG", mode="P", bits=bits) for bits in (1, 2, 4)},
    "a PNG with a transparent colour": picture("PNG", mode="P", transparency=bytes(range(200))),
    "a PNG in 16-bit colours": deep_png(2, 3),
    "a PNG in 16-bit grey with transparency": deep_png(4, 2),
    "a PNG in 16-bit colours with transparency": deep_png(6, 4),
    "a PNG in pieces": png_in_pieces(),
    "a PNG that moves": animation("PNG", 3),
    "a PNG with 2 MB of text": with_chunk(png_chunk(b"tEXt", b"Comment\0" + _TEXT)),
    "a PNG with 2 MB of packed text": with_chunk(
        png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(_TEXT))
    ),
    "a PNG with 2 MB of international text": with_chunk(
        png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(_TEXT))
    ),
    "a PNG with a large profile": with_chunk(
        png_chunk(b"iCCP", b"none\0\0" + zlib.compress(_PROFILE * 4))
    ),
    "a PNG with a wrong checksum of its text": with_chunk(
        png_chunk(b"tEXt", b"Comment\0text")[:-1] + b"?"
    ),
    "a PNG with an archive inside": with_chunk(png_chunk(b"prVt", archive())),
    "a PNG without its end": picture("PNG")[:-12],
    "a PNG that lies on its side": with_chunk(png_chunk(b"eXIf", exif(6)[10:])),
    **{
        f"a PNG with {name} behind it": picture("PNG") + data
        for name, data in _TRAILERS.items()
        if name in {"zeros", "an archive", "a page"}
    },
    "a GIF 87a": picture("GIF").replace(b"GIF89a", b"GIF87a"),
    "a GIF in colours": picture("GIF", mode="RGB"),
    "an interlaced GIF": picture("GIF", interlace=1),
    "a GIF with a transparent colour": picture("GIF", transparency=3),
    "a GIF with a comment": picture("GIF", comment=_PAGE),
    "a GIF that moves": animation(),
    "a GIF that is cut off behind its first frame": animation()[:-1000],
    "a GIF without its end": picture("GIF")[:-1],
    "a GIF with a small frame": gif_of((2, 2), b"\x02\x84\x51\x00", left=100),
    "a GIF with an archive behind it": picture("GIF") + archive(),
    **{f"a BMP in {mode}": picture("BMP", mode=mode) for mode in ("1", "P", "RGB", "RGBA")},
    "a BMP from its top": top_down_bmp(),
    "a BMP of OS/2": os2_bmp(),
    "a BMP in 16 bits": bmp_of(16, 0, bytes(600 * 400)),
    "a BMP in 16 bits with masks": bmp_of(
        16, 3, bytes(600 * 400), struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    ),
    "a BMP in 4 bits": bmp_of(4, 0, bytes(152 * 400), colours=16),
    "a packed BMP": bmp_of(8, 1, (b"\xff\0\x2d\0\0\0") * 400 + b"\0\1", colours=256),
    "a BMP with an archive behind it": picture("BMP") + archive(),
}
"""Files that a decoder reads."""

WIDE = {
    *(f"a JPEG that lies in way {n}" for n in range(5, 9)),
    *(f"a JPEG that lies in way {n}, big-endian" for n in (6, 8)),
    "a PNG that lies on its side",
}
SIZES = dict.fromkeys(WIDE, SIZE[::-1]) | {
    "a portrait": (640, 800),
    "a PNG portrait": (640, 800),
    "as many pixels as are allowed": (5000, 5000),
    "a large JPEG": (4000, 3000),
    "a large progressive JPEG": (4000, 3000),
}
"""Width and height as the pictures are shown, of those that have not `SIZE`."""

_WHOLE = {
    **{name: picture(name) for name in FORMATS},
    "portrait": portrait(1),
    "PNG portrait": portrait(1, "PNG"),
    "progressive JPEG": picture("JPEG", progressive=True),
    "large JPEG": TAKEN["a large JPEG"],
}

REFUSED: dict[str, bytes] = {
    "a text": b"this is a text" * 100,
    "a text that is called a picture": b"%!PS-Adobe" * 200,
    "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 40,
    "a HEIC": isobmff(b"heic"),
    "an AVIF": isobmff(b"avif"),
    "a WebP": picture("WEBP", lossless=True),
    "a TIFF": picture("TIFF"),
    "an icon": picture("ICO").ljust(2000, b"\0"),
    "a bomb": bomb(),
    "a JPEG bomb": jpeg_bomb(),
    "a BMP bomb": bmp_bomb(),
    "a GIF bomb": gif_of((60_000, 60_000)),
    "no pixels": png(0, 400),
    "more pixels than are allowed": png(5001, 5000),
    "a PNG in crumbs": PNG_START
    + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0))
    + png_chunk(b"tEXt", b"") * 150_000
    + png_chunk(b"IDAT", b"x")
    + PNG_END,
    "a PNG with a damaged chunk": picture("PNG").replace(b"IDAT", b"IDAU", 1),
    "a large JPEG with hundreds of scans": many_scans(100, (5000, 4500)),
    "a JPEG with no pixels": picture("JPEG")[:-2].partition(b"\xff\xda")[0].ljust(1100, b"\xff")
    + b"\xff\xd9",
    "a JPEG of filling only": b"\xff\xd8" + b"\xff" * 6_000_000,
    "a JPEG with two sizes": picture("JPEG").replace(
        b"\xff\xc0", b"\xff\xc0\0\x11\x08\xea\x60\xea\x60\x03" + bytes(9) + b"\xff\xc0", 1
    ),
    **{f"damaged pixels of a {name}": damaged_pixels(name) for name in ("JPEG", "PNG", "GIF")},
    **{
        f"{share} % of a {name}": data[: len(data) * share // 100]
        for name, data in _WHOLE.items()
        for share in (50, 99)
    },
}
"""Files that are no picture; all of them have an allowed number of bytes."""
