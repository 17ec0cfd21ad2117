"""Random images with a bright row per class, under the names of well-known data sets."""

import os

import torch

SIZE = int(os.environ.get("STANDIN_SIZE", 2048))  # programs that split a data set by its known size ask for it


class _Images(torch.utils.data.Dataset):
    shape, classes = (1, 28, 28), 10

    def __init__(self, root=None, train=True, transform=None, target_transform=None, download=False, size=SIZE, **_):
        generator = torch.Generator().manual_seed(1 if train else 2)
        count = size if train else size // 8
        self.targets = torch.randint(0, self.classes, (count,), generator=generator)
        noise = torch.rand((count, *self.shape), generator=generator) * 0.2
        rows = torch.arange(self.shape[1]).view(1, 1, -1, 1) // 2 == self.targets.view(-1, 1, 1, 1)
        self._images = (noise + rows.float() * 0.8).clamp(0, 1)
        self.data = (self._images * 255).to(torch.uint8).squeeze(1)
        self.transform, self.target_transform = transform, target_transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        image, target = self._images[index], int(self.targets[index])
        image = self.transform(image) if self.transform else image
        return image, self.target_transform(target) if self.target_transform else target


class MNIST(_Images):
    pass


class FashionMNIST(_Images):
    pass


class CIFAR10(_Images):
    shape = (3, 32, 32)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.data = (self._images.permute(0, 2, 3, 1) * 255).to(torch.uint8).numpy()
        self.targets = self.targets.tolist()


class CIFAR100(CIFAR10):
    classes = 16


class FakeData(_Images):
    def __init__(self, size=1000, image_size=(3, 224, 224), num_classes=10, transform=None, **_):
        self.shape, self.classes = tuple(image_size), num_classes
        super().__init__(transform=transform, size=min(size, 512))
