"""Which of x264's routines run: the same images have to give the same bytes.

With AVX-512, the macroblock tree of x264 (core 165, in av 18.1) gives other bytes from run to run, where several
threads share the machine with others or memory was used before. The AVX2 routines do not, and are as fast.
"""

from __future__ import annotations

import cv2

_AVX512F = 13
"""OpenCV's number of the processor feature (CPU_AVX_512F)."""
_WITHOUT_AVX512 = "MMX2,SSE2,SSSE3,SSE4.2,AVX,FMA3,AVX2,LZCNT,BMI1,BMI2"
"""What every processor with AVX-512 can do besides."""


def repeatable_routines() -> str:
    """The option for x264's own parameters (``:asm=...``); empty where the processor has no AVX-512."""
    return f":asm={_WITHOUT_AVX512}" if cv2.checkHardwareSupport(_AVX512F) else ""
