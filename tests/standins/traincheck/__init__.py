"""Stands in for TrainCheck, whose marks stand in the programs of its benchmarks: everything may be asked for, nothing happens."""

import sys
import types


class _Nothing:
    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) and not kwargs else self

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __setitem__(self, key, value):
        pass

    def __getitem__(self, key):
        return 0


class _Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing()


sys.modules[__name__].__class__ = _Module
for _name in ("instrumentor", "instrumentor.tracer", "config", "config.config", "utils", "developer", "proxy_wrapper"):
    _made = _Module(f"{__name__}.{_name}")
    _made.__path__ = []
    sys.modules[f"{__name__}.{_name}"] = _made
