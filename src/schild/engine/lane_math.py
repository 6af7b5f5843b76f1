"""Logarithm, exponential and power of lanes, and rows of a workspace, beyond ``schild.engine.lanes``."""

from __future__ import annotations

import math

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from schild.engine.cache import compiled
from schild.engine.lanes import _FLAGS, _INT, W, _constant, decay, lane, load, maximum, store

__all__ = ["apart", "exponential", "logarithm", "power", "put_row", "row"]

SOURCES = ("lane_math.py", "lanes.py", "layout.py", "cache.py")


@intrinsic
def logarithm(typing_context, x):
    """Natural logarithm of normal positive numbers, to about one unit in the last place.

    The exponent bits give the whole part; the mantissa, brought between sqrt(1/2) and sqrt(2), an odd series in
    (m - 1)/(m + 1).
    """

    def generate(context, builder, signature, args):
        def whole(value):
            return ir.Constant(_INT, [value] * W)

        def fma(a, b, c):
            return builder.fadd(builder.fmul(a, b, flags=_FLAGS), c, flags=_FLAGS)

        vector = args[0].type
        bits = builder.bitcast(args[0], _INT)
        exponent = builder.lshr(bits, whole(52))
        # An integer below 2**52 in the mantissa of 2**52 is that integer plus 2**52.
        shifted = builder.bitcast(builder.or_(exponent, whole(0x4330000000000000)), vector)
        e = builder.fsub(shifted, _constant(4503599627370496.0 + 1023.0))
        mantissa = builder.or_(builder.and_(bits, whole(0x000FFFFFFFFFFFFF)), whole(0x3FF0000000000000))
        m = builder.bitcast(mantissa, vector)
        large = builder.fcmp_ordered(">", m, _constant(math.sqrt(2.0)))
        m = builder.select(large, builder.fmul(m, _constant(0.5)), m)
        e = builder.select(large, builder.fadd(e, _constant(1.0)), e)
        s = builder.fdiv(builder.fsub(m, _constant(1.0)), builder.fadd(m, _constant(1.0)))
        z = builder.fmul(s, s)
        p = _constant(2.0 / 21.0)
        for n in range(19, 0, -2):
            p = fma(p, z, _constant(2.0 / n))
        tail = fma(s, p, builder.fmul(e, _constant(1.90821492927058770002e-10)))
        return fma(e, _constant(6.93147180369123816490e-01), tail)

    return lane(lane), generate


@intrinsic
def apart(typing_context):
    """Keep the function that calls this out of its callers.

    LLVM otherwise inlines by a cost that differs between processors, and which products and sums become one
    instruction depends on what is computed beside them: the same source would give other bits.
    """

    def generate(context, builder, signature, args):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@compiled(SOURCES)
def exponential(x):
    """``exp(x)`` for ``x`` between -700 and 700."""
    return decay(0.0 - x)


@compiled(SOURCES)
def power(x, a):
    """``x ** a`` of numbers that are not negative; zero counts as 1e-300."""
    return decay(0.0 - a * logarithm(maximum(x, x * 0.0 + 1e-300)))


@compiled(SOURCES)
def row(ws, place):
    """Lanes at a place of a workspace, counted in lanes."""
    return load(ws, place * W)


@compiled(SOURCES)
def put_row(ws, place, value):
    """Write lanes to a place of a workspace, counted in lanes."""
    store(ws, place * W, value)
