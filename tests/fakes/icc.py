"""Color profiles made from published numbers, without the code under test."""

import struct

ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.00009), (0.03134, 0.00008, 0.82491))
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
"""Red, green and blue as XYZ under D50."""


def numbers(*values):
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def gamma(exponent):
    return b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(exponent * 256))


SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + numbers(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def words(text):
    return b"desc" + bytes(4) + struct.pack(">I", len(text) + 1) + text.encode() + b"\0" + bytes(78)


def profile(tags, space=b"RGB ", kind=b"mntr", pcs=b"XYZ "):
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4xI4s4s4s6H4s", at + len(body), 0x02400000, kind, space, pcs, 2024, 1, 1, 0, 0, 0, b"acsp"
    )
    head += bytes(28) + numbers(0.9642, 1.0, 0.8249)
    return head + bytes(128 - len(head)) + table + body


def rgb_profile(name, columns, curve, **more):
    xyz = {
        tag: b"XYZ \0\0\0\0" + numbers(*c)
        for tag, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    extra = {tag.encode(): content for tag, content in more.items()}
    white = b"XYZ \0\0\0\0" + numbers(0.9642, 1.0, 0.8249)
    return profile(
        {b"desc": words(name), b"cprt": b"text\0\0\0\0-\0", b"wtpt": white, **xyz, **curves, **extra}
    )


def gray_profile(name, curve):
    white = b"XYZ \0\0\0\0" + numbers(0.9642, 1.0, 0.8249)
    return profile(
        {b"desc": words(name), b"cprt": b"text\0\0\0\0-\0", b"wtpt": white, b"kTRC": curve}, b"GRAY"
    )


def table_profile(name, channels):
    """A profile of tables to Lab: RGB (3 channels) or CMYK (4), with two steps a channel."""
    ramp = bytes(range(256))
    corners = b""
    for corner in range(2**channels):
        bits = [corner >> (channels - 1 - k) & 1 for k in range(channels)]
        light = (
            [bits[k] * 0.9 for k in range(3)]
            if channels == 3
            else [(1 - b) * (1 - bits[3]) * 0.9 for b in bits[:3]]
        )
        lightness = 0.3 * light[0] + 0.6 * light[1] + 0.1 * light[2]
        red, blue = 60 * (light[0] - light[1]), 60 * (light[1] - light[2])
        corners += bytes((round(lightness * 255), round(128 + red), round(128 + blue)))
    lut = b"mft1\0\0\0\0" + bytes((channels, 3, 2, 0)) + numbers(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut += ramp * channels + corners + ramp * 3
    white = b"XYZ \0\0\0\0" + numbers(0.9642, 1.0, 0.8249)
    space = b"RGB " if channels == 3 else b"CMYK"
    tags = {b"desc": words(name), b"cprt": b"text\0\0\0\0-\0", b"wtpt": white, b"A2B0": lut}
    return profile(tags, space, b"scnr" if channels == 3 else b"prtr", b"Lab ")
