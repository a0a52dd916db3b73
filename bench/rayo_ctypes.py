# SPDX-License-Identifier: Apache-2.0
"""A small binding of Rayo's C API over ctypes, for measurements: NumPy arrays in, NumPy arrays out, no copies.

Only what bench/numpy_pytorch.py needs: a runtime, ops by name with integer attributes, plans on compact arrays.
"""
import ctypes
import os

import numpy


class Dtype(ctypes.Structure):  # DLDataType
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class Device(ctypes.Structure):  # DLDevice
    _fields_ = [("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32)]


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p), ("device", Device), ("ndim", ctypes.c_int32), ("dtype", Dtype),
        ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Tensor(ctypes.Structure):  # rayo_tensor
    _fields_ = [
        ("struct_size", ctypes.c_uint32), ("struct_type", ctypes.c_uint32), ("next", ctypes.c_void_p),
        ("dl", DLTensor), ("buffer", ctypes.c_void_p), ("owner", ctypes.c_void_p), ("queue", ctypes.c_void_p),
    ]


class Attr(ctypes.Structure):  # rayo_attr
    _fields_ = [("name", ctypes.c_char_p), ("kind", ctypes.c_uint32), ("count", ctypes.c_uint32), ("data", ctypes.c_void_p)]


class RunOptions(ctypes.Structure):  # rayo_run_options
    _fields_ = [
        ("struct_size", ctypes.c_uint32), ("struct_type", ctypes.c_uint32), ("next", ctypes.c_void_p),
        ("device", ctypes.c_char_p), ("threads", ctypes.c_uint32), ("numerics", ctypes.c_uint32),
    ]


class CallDesc(ctypes.Structure):  # rayo_call_desc
    _fields_ = [
        ("struct_size", ctypes.c_uint32), ("struct_type", ctypes.c_uint32), ("next", ctypes.c_void_p),
        ("op", ctypes.c_uint32), ("input_count", ctypes.c_uint32), ("output_count", ctypes.c_uint32),
        ("constant_inputs", ctypes.c_uint32), ("inputs", ctypes.c_void_p), ("outputs", ctypes.c_void_p),
        ("attrs", ctypes.c_void_p), ("options", ctypes.c_void_p),
    ]


TYPE_TENSOR, TYPE_RUN_OPTIONS, TYPE_CALL_DESC = 8, 39, 33  # rayo/types.h
ATTR_INT = 1
KINDS = {"f": 2, "i": 0, "u": 1}  # NumPy's kind -> DLPack's type code


class RayoError(RuntimeError):
    pass


def _tensor(array):
    if not array.flags.c_contiguous:
        raise ValueError("compact row-major arrays only; use numpy.ascontiguousarray")
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    tensor = Tensor(struct_size=ctypes.sizeof(Tensor), struct_type=TYPE_TENSOR)
    tensor.dl = DLTensor(array.ctypes.data, Device(1, 0), array.ndim, Dtype(KINDS[array.dtype.kind], array.dtype.itemsize * 8, 1),
                         shape, None, 0)
    tensor.keep = (array, shape)
    return tensor


class Plan:
    """A call bound to its arrays; calling it computes into the outputs."""

    def __init__(self, runtime, op, inputs, outputs, attributes, device, threads):
        self._runtime = runtime
        self._tensors = [_tensor(a) for a in (*inputs, *outputs)]
        pointers = [ctypes.cast(ctypes.pointer(t), ctypes.c_void_p).value for t in self._tensors]
        self._inputs = (ctypes.c_void_p * len(inputs))(*pointers[: len(inputs)])
        self._outputs = (ctypes.c_void_p * len(outputs))(*pointers[len(inputs):])
        values = [(ctypes.c_int64 * len(v))(*v) for v in attributes.values()]
        attrs = (Attr * (len(values) + 1))(
            *[Attr(n.encode(), ATTR_INT, len(v), ctypes.cast(v, ctypes.c_void_p)) for n, v in zip(attributes, values)], Attr())
        options = RunOptions(ctypes.sizeof(RunOptions), TYPE_RUN_OPTIONS, None, device.encode(), threads, 0)
        desc = CallDesc(ctypes.sizeof(CallDesc), TYPE_CALL_DESC, None, runtime.op(op), len(inputs), len(outputs), 0,
                        ctypes.addressof(self._inputs), ctypes.addressof(self._outputs), ctypes.addressof(attrs),
                        ctypes.addressof(options))
        self._handle = ctypes.c_void_p()
        runtime.check(runtime.library.rayo_plan_create(runtime.handle, ctypes.byref(desc), ctypes.byref(self._handle)))
        self._run = runtime.library.rayo_plan_run
        self._arguments = (self._handle, ctypes.cast(self._inputs, ctypes.c_void_p), ctypes.cast(self._outputs, ctypes.c_void_p))

    def __call__(self):
        status = self._run(*self._arguments)
        if status:
            self._runtime.check(status)

    def __del__(self):
        if getattr(self, "_handle", None):
            self._runtime.library.rayo_plan_destroy(self._handle)


class Runtime:
    def __init__(self, library):
        self.library = ctypes.CDLL(os.fspath(library))
        self.library.rayo_op_find.argtypes = [ctypes.c_char_p]
        self.library.rayo_op_find.restype = ctypes.c_uint32
        self.library.rayo_last_error.restype = ctypes.c_size_t
        for name in ("rayo_plan_create", "rayo_plan_run"):
            getattr(self.library, name).argtypes = [ctypes.c_void_p] * 3
        self.library.rayo_plan_destroy.argtypes = [ctypes.c_void_p]
        self.library.rayo_plan_destroy.restype = None
        self.library.rayo_runtime_destroy.argtypes = [ctypes.c_void_p]
        self.handle = ctypes.c_void_p()
        self.check(self.library.rayo_runtime_create(None, ctypes.byref(self.handle)))

    def check(self, status):
        if status:
            text = ctypes.create_string_buffer(4096)
            self.library.rayo_last_error(text, ctypes.c_size_t(4096))
            raise RayoError(text.value.decode() or f"status {status}")

    def op(self, name):
        found = self.library.rayo_op_find(name.encode())
        if not found:
            raise RayoError(f"unknown op '{name}'; 'rayo ops' lists them")
        return found

    def plan(self, op, inputs, outputs, attributes=None, device="auto", threads=1):
        return Plan(self, op, [numpy.asarray(a) for a in inputs], outputs, attributes or {}, device, threads)
