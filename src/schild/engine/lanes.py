"""Eight subjects in one machine register: a vector type for Numba.

``Lane`` holds one float64 of each of ``W`` subjects. Arithmetic on it compiles to vector instructions whatever the
surrounding control flow, so the kernel can loop over ligands, receptors and modes at run time (one compilation for
every model) and still use the full width of the processor. Every operation treats the lanes alike, so a subject's
result cannot depend on its neighbours.

LLVM splits the type where registers are narrower; nothing here is specific to one processor.
"""

from __future__ import annotations

import math
import operator

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from schild.engine.layout import W as W  # for the kernels that import it from here

_VEC = ir.VectorType(ir.DoubleType(), W)
_INT = ir.VectorType(ir.IntType(64), W)
# `contract` lets a*b+c become one instruction. No reassociation, and NaN keeps its meaning.
_FLAGS = ("contract", "nsz")


#: Coefficients of ``exp(r)`` from that of 1 on. Of the polynomials of this degree that begin with ``1 + r`` it has the
#: least relative error for ``|r|`` up to half of ln 2, 2.7e-17 (by the exchange of Remez, in 50 digits).
_EXPONENTIAL = (
    1.0, 1.0, 0.5000000000000001, 0.16666666666665997, 0.04166666666662527, 0.008333333333898688,
    0.0013888888916975101, 0.00019841268395073665, 2.48015205255263e-05, 2.755872202444781e-06,
    2.7620862656165596e-07, 2.4611819102433442e-08,
)  # fmt: skip


class Lane(types.Type):
    """Numba type of one float64 per lane."""

    def __init__(self):
        super().__init__(name=f"float64x{W}")


lane = Lane()


@register_model(Lane)
class _LaneModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _VEC)


def _constant(value):
    return ir.Constant(_VEC, [float(value)] * W)


def _splat(builder, value):
    first = builder.insert_element(ir.Constant(_VEC, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), W), [0] * W)
    return builder.shuffle_vector(first, ir.Constant(_VEC, ir.Undefined), zeros)


def _place(context, builder, signature, args):
    return builder.gep(context.make_array(signature.args[0])(context, builder, args[0]).data, [args[1]])


def _pointer(context, builder, signature, args):
    return builder.bitcast(_place(context, builder, signature, args), _VEC.as_pointer())


@intrinsic
def load(typing_context, array, offset):
    """Lanes ``array[offset : offset + W]`` of a contiguous float64 array."""

    def generate(context, builder, signature, args):
        value = builder.load(_pointer(context, builder, signature, args))
        value.align = 8
        return value

    return lane(array, types.intp), generate


@intrinsic
def store(typing_context, array, offset, value):
    """Write lanes to ``array[offset : offset + W]``; the offset counts from the first number, whatever the shape."""

    def generate(context, builder, signature, args):
        builder.store(args[2], _pointer(context, builder, signature, args)).align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, lane), generate


@intrinsic
def number(typing_context, array, offset):
    """Number ``array[offset]``, where the offset is not negative: an index in brackets costs a test of that."""

    def generate(context, builder, signature, args):
        return builder.load(_place(context, builder, signature, args))

    return types.float64(array, types.intp), generate


@intrinsic
def write(typing_context, array, offset, value):
    """Write one number; the offset is not negative, and counts from the first number, whatever the shape."""

    def generate(context, builder, signature, args):
        builder.store(args[2], _place(context, builder, signature, args))
        return context.get_dummy_value()

    return types.void(array, types.intp, types.float64), generate


@intrinsic
def splat(typing_context, value):
    """Put the same float64 in every lane."""

    def generate(context, builder, signature, args):
        return _splat(builder, args[0])

    return lane(types.float64), generate


def _define(function, emit):
    """Give a function of two lanes, or of a lane and a number, its types and its instructions.

    Plain templates rather than ``numba.extending.overload``: typing them takes a small part of the time.
    """
    kinds = [(lane, lane), (lane, types.float64), (types.float64, lane)]

    class Template(ConcreteTemplate):
        key = function
        cases = [signature(lane, *pair) for pair in kinds]  # noqa: RUF012

    infer_global(function)(Template)

    def generate(context, builder, sig, args):
        x, y = (
            value if isinstance(kind, Lane) else _splat(builder, value)
            for kind, value in zip(sig.args, args, strict=True)
        )
        return emit(builder, x, y)

    for pair in kinds:
        lower_builtin(function, *pair)(generate)


def maximum(a, b):
    """Larger value, lane by lane. A comparison with NaN is false, so ``b`` is taken: a NaN passed second survives."""
    raise NotImplementedError("only inside compiled code")


def minimum(a, b):
    """Smaller value, lane by lane; NaN as for ``maximum``."""
    raise NotImplementedError("only inside compiled code")


_define(operator.add, lambda builder, x, y: builder.fadd(x, y, flags=_FLAGS))
_define(operator.sub, lambda builder, x, y: builder.fsub(x, y, flags=_FLAGS))
_define(operator.mul, lambda builder, x, y: builder.fmul(x, y, flags=_FLAGS))
_define(operator.truediv, lambda builder, x, y: builder.fdiv(x, y, flags=_FLAGS))
_define(maximum, lambda builder, x, y: builder.select(builder.fcmp_ordered(">", x, y), x, y))
_define(minimum, lambda builder, x, y: builder.select(builder.fcmp_ordered("<", x, y), x, y))


@intrinsic
def absolute(typing_context, x):
    """Absolute value, lane by lane."""

    def generate(context, builder, signature, args):
        magnitude = ir.Constant(_INT, [0x7FFFFFFFFFFFFFFF] * W)
        bits = builder.and_(builder.bitcast(args[0], _INT), magnitude)
        return builder.bitcast(bits, _VEC)

    return lane(lane), generate


@intrinsic
def square_root(typing_context, x):
    """Square root, lane by lane."""

    def generate(context, builder, signature, args):
        kind = ir.FunctionType(_VEC, [_VEC])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{W}f64")
        return builder.call(function, args)

    return lane(lane), generate


@intrinsic
def fourth_root_inverse(typing_context, x):
    """``x ** -0.25`` of positive numbers to 0.25 %, where the latency of two square roots and a division would count.

    A quarter of the exponent bits, then one step of Newton's method.
    """

    def generate(context, builder, signature, args):
        x = args[0]
        bits = builder.lshr(builder.bitcast(x, _INT), ir.Constant(_INT, [2] * W))
        y = builder.bitcast(builder.sub(ir.Constant(_INT, [0x4FEB0902DE00D1B8] * W), bits), _VEC)
        square = builder.fmul(y, y)
        fourth = builder.fmul(builder.fmul(x, _constant(0.25)), builder.fmul(square, square))
        return builder.fmul(y, builder.fsub(_constant(1.25), fourth))

    return lane(lane), generate


@intrinsic
def choose(typing_context, condition, if_positive, otherwise):
    """``if_positive`` where ``condition > 0``, else ``otherwise``."""

    def generate(context, builder, signature, args):
        positive = builder.fcmp_ordered(">", args[0], _constant(0.0))
        return builder.select(positive, args[1], args[2])

    return lane(lane, lane, lane), generate


@intrinsic
def positive(typing_context, x):
    """Number with bit ``l`` set where lane ``l`` is larger than zero; ``lowest`` and ``bits & (bits - 1)`` walk it."""

    def generate(context, builder, signature, args):
        bits = builder.bitcast(builder.fcmp_ordered(">", args[0], _constant(0.0)), ir.IntType(W))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(lane), generate


@intrinsic
def lowest(typing_context, bits):
    """Place of the lowest bit that is set; ``bits`` must not be zero."""

    def generate(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


@intrinsic
def put(typing_context, x, l, value):
    """``x`` with ``value`` in lane ``l``: where lanes are loaded next, cheaper than a scalar store among them."""

    def generate(context, builder, signature, args):
        return builder.insert_element(args[0], args[2], args[1])

    return lane(lane, types.int64, types.float64), generate


@intrinsic
def decay(typing_context, x):
    """``exp(-x)`` for ``0 <= x``, correct to about one unit in the last place of it and of ``x``; exactly one at zero.

    Range reduction ``-x = k ln 2 + r`` with the rounding-constant trick (pip's Numba has no vector library), the
    polynomial ``_EXPONENTIAL`` for ``exp(r)``, and ``k`` added to the exponent bits.
    """

    def generate(context, builder, signature, args):
        def fma(a, b, c):
            return builder.fadd(builder.fmul(a, b, flags=_FLAGS), c, flags=_FLAGS)

        def constant(value):
            return _constant(value)

        cap = constant(700.0)
        y = builder.select(builder.fcmp_ordered(">", args[0], cap), cap, args[0])
        magic = constant(6755399441055744.0)  # 1.5 * 2**52
        shifted = fma(y, constant(-1.0 / math.log(2.0)), magic)
        k = builder.fsub(shifted, magic)
        r = builder.fsub(builder.fmul(k, constant(-math.log(2.0)), flags=_FLAGS), y, flags=_FLAGS)
        p = constant(_EXPONENTIAL[-1])
        for coefficient in _EXPONENTIAL[-2::-1]:
            p = fma(p, r, constant(coefficient))
        exponent = builder.shl(builder.bitcast(shifted, _INT), ir.Constant(_INT, [52] * W))
        return builder.bitcast(builder.add(builder.bitcast(p, _INT), exponent), _VEC)

    return lane(lane), generate
