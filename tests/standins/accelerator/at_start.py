"""Stands in for a graphics card: what is sent to one stays in main memory, and nccl is gloo."""

import importlib.abc
import importlib.util
import sys


def without_one(torch):
    def home(original):
        def to(self, *args, **kwargs):
            def there(value):
                device = isinstance(value, (int, torch.device)) or (isinstance(value, str) and value.startswith("cuda"))
                return "cpu" if device and not isinstance(value, bool) else value

            return original(self, *map(there, args), **{name: there(value) if name == "device" else value for name, value in kwargs.items()})

        return to

    for kind in (torch.Tensor, torch.nn.Module):
        kind.cuda = lambda self, *args, **kwargs: self
        kind.to = home(kind.to)
    torch.cuda.device_count = lambda: 2
    torch.cuda.set_device = lambda *args: None
    torch.cuda.is_available = lambda: False


class _Finder(importlib.abc.MetaPathFinder):
    looking = False

    def find_spec(self, name, path=None, target=None):
        if name != "torch" or self.looking:
            return None
        self.looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.looking = False
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            without_one(sys.modules[name])

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Finder())
