"""Stands in for a graphics card: what is sent to one stays in main memory, and nccl is gloo."""

from standin_arrival import after_import


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


after_import("torch", without_one)
