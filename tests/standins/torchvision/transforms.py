"""Transforms on tensors."""

import torch


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image


class _Same:
    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, image):
        return image


class ToTensor(_Same):
    pass


class RandomHorizontalFlip(_Same):
    def __call__(self, image):
        return image.flip(-1) if torch.rand(()) < 0.5 else image


class RandomCrop(_Same):
    def __init__(self, size, padding=0, **_):
        self.size, self.padding = size if isinstance(size, int) else size[0], padding or 0

    def __call__(self, image):
        wide = torch.nn.functional.pad(image, (self.padding,) * 4)
        top, left = (int(torch.randint(0, wide.shape[-1] - self.size + 1, ())) for _ in range(2))
        return wide[..., top : top + self.size, left : left + self.size]


class Resize(_Same):
    def __init__(self, size, *args, **kwargs):
        self.size = (size, size) if isinstance(size, int) else tuple(size)

    def __call__(self, image):
        return torch.nn.functional.interpolate(image.unsqueeze(0), self.size)[0]


class CenterCrop(Resize):
    pass


class Normalize:
    def __init__(self, mean, std, inplace=False):
        self.mean, self.std = (torch.tensor(v).view(-1, 1, 1) for v in (mean, std))

    def __call__(self, image):
        return (image - self.mean) / self.std


class Lambda:
    def __init__(self, lambd):
        self.lambd = lambd

    def __call__(self, image):
        return self.lambd(image)


class RandomVerticalFlip(_Same):
    def __call__(self, image):
        return image.flip(-2) if torch.rand(()) < 0.5 else image


class RandomRotation(_Same):
    pass


class ColorJitter(_Same):
    pass


class RandomResizedCrop(Resize):
    pass
