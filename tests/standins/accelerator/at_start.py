"""Stands in for a graphics card: what is sent to one stays in main memory."""

from standin_arrival import after_import


def without_one(torch):
    def home(original):
        def to(self, *args, **kwargs):
            def there(value):
                device = isinstance(value, (int, torch.device)) or (isinstance(value, str) and value.startswith("cuda"))
                return "cpu" if device and not isinstance(value, bool) else value

            return original(self, *map(there, args), **{name: there(value) if name == "device" else value for name, value in kwargs.items()})

        return to

    def moved(module, *args, **kwargs):
        """A real move gives each weight other memory, and autograd forgets what hung on it: so does a change of its type."""
        kinds = {weight.dtype for weight in module.parameters()}
        for kind in (torch.float64, torch.float32) if kinds == {torch.float32} else ():
            module._apply(lambda t, kind=kind: t.to(kind) if t.is_floating_point() else t)
        return module

    def without_devices(original):
        def __init__(self, module, device_ids=None, output_device=None, *args, **kwargs):
            original(self, module, *args, **kwargs)

        return __init__

    torch.Tensor.cuda = lambda self, *args, **kwargs: self
    torch.nn.Module.cuda = torch.nn.Module.cpu = moved
    for kind in (torch.Tensor, torch.nn.Module):
        kind.to = home(kind.to)
    wrapper = torch.nn.parallel.DistributedDataParallel
    wrapper.__init__ = without_devices(wrapper.__init__)
    for name in ("reset_max_memory_allocated", "reset_peak_memory_stats", "synchronize", "empty_cache"):
        setattr(torch.cuda, name, lambda *args, **kwargs: None)
    torch.cuda.max_memory_allocated = lambda *args, **kwargs: 0
    torch.cuda.device_count = lambda: 2
    torch.cuda.set_device = lambda *args: None
    torch.cuda.is_available = lambda: False


after_import("torch", without_one)
