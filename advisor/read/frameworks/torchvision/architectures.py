"""The layers of torchvision's models: which kinds each part holds, and the head that programs replace.

A part is a single layer (`Linear:512:1000`), a sequence whose layers are all written `(Dropout:0.5 Linear:4096:1000)`, or a body of which one
layer of each kind is written `[Conv2d BatchNorm2d ReLU]`. `{features}` and `{p}` are the model's own, `{classes}` what the program asks for.
"""

from __future__ import annotations

_BLOCK = "[Conv2d BatchNorm2d ReLU]"
_CLASSIFIER = "(Linear:25088:4096 ReLU Dropout:{p} Linear:4096:4096 ReLU Dropout:{p} Linear:4096:{classes})"
PARTS: dict[str, dict[str, str]] = {
    "resnet": {
        "conv1": "Conv2d",
        "bn1": "BatchNorm2d",
        "relu": "ReLU",
        "maxpool": "MaxPool2d",
        **{f"layer{number}": _BLOCK for number in (1, 2, 3, 4)},
        "avgpool": "AdaptiveAvgPool2d",
        "fc": "Linear:{features}:{classes}",
    },
    "densenet": {"features": "[Conv2d BatchNorm2d ReLU MaxPool2d AvgPool2d]", "classifier": "Linear:{features}:{classes}"},
    "vgg": {"features": "[Conv2d ReLU MaxPool2d]", "avgpool": "AdaptiveAvgPool2d", "classifier": _CLASSIFIER},
    "vgg_bn": {"features": "[Conv2d BatchNorm2d ReLU MaxPool2d]", "avgpool": "AdaptiveAvgPool2d", "classifier": _CLASSIFIER},
    "alexnet": {
        "features": "[Conv2d ReLU MaxPool2d]",
        "avgpool": "AdaptiveAvgPool2d",
        "classifier": "(Dropout:{p} Linear:9216:4096 ReLU Dropout:{p} Linear:4096:4096 ReLU Linear:4096:{classes})",
    },
    "squeezenet": {"features": "[Conv2d ReLU MaxPool2d]", "classifier": "(Dropout:{p} Conv2d ReLU AdaptiveAvgPool2d)"},
    "mobilenet": {"features": "[Conv2d BatchNorm2d ReLU6]", "classifier": "(Dropout:{p} Linear:{features}:{classes})"},
    "mnasnet": {"layers": _BLOCK, "classifier": "(Dropout:{p} Linear:{features}:{classes})"},
    "mobilenet_v3_large": {
        "features": "[Conv2d BatchNorm2d Hardswish ReLU Hardsigmoid]",
        "avgpool": "AdaptiveAvgPool2d",
        "classifier": "(Linear:960:1280 Hardswish Dropout:{p} Linear:{features}:{classes})",
    },
    "mobilenet_v3_small": {
        "features": "[Conv2d BatchNorm2d Hardswish ReLU Hardsigmoid]",
        "avgpool": "AdaptiveAvgPool2d",
        "classifier": "(Linear:576:1024 Hardswish Dropout:{p} Linear:{features}:{classes})",
    },
    "efficientnet": {
        "features": "[Conv2d BatchNorm2d SiLU Sigmoid StochasticDepth]",
        "avgpool": "AdaptiveAvgPool2d",
        "classifier": "(Dropout:{p} Linear:{features}:{classes})",
    },
    "convnext": {
        "features": "[Conv2d LayerNorm2d LayerNorm Linear GELU StochasticDepth]",
        "avgpool": "AdaptiveAvgPool2d",
        "classifier": "(LayerNorm2d Flatten Linear:{features}:{classes})",
    },
    "regnet": {"stem": _BLOCK, "trunk_output": _BLOCK, "avgpool": "AdaptiveAvgPool2d", "fc": "Linear:{features}:{classes}"},
    "shufflenet": {
        "conv1": _BLOCK,
        "maxpool": "MaxPool2d",
        **{f"stage{number}": _BLOCK for number in (2, 3, 4)},
        "conv5": _BLOCK,
        "fc": "Linear:{features}:{classes}",
    },
    "googlenet": {
        "inception": "[Conv2d BatchNorm2d MaxPool2d]",
        "avgpool": "AdaptiveAvgPool2d",
        "dropout": "Dropout:{p}",
        "fc": "Linear:{features}:{classes}",
    },
    "swin": {
        "features": "[Conv2d LayerNorm Linear GELU StochasticDepth]",
        "norm": "LayerNorm",
        "avgpool": "AdaptiveAvgPool2d",
        "head": "Linear:{features}:{classes}",
    },
    "vit": {"conv_proj": "Conv2d", "encoder": "[LayerNorm MultiheadAttention Linear GELU]", "heads": "(head=Linear:{features}:{classes})"},
    "maxvit": {
        "stem": "[Conv2d BatchNorm2d GELU]",
        "blocks": "[Conv2d BatchNorm2d LayerNorm Linear GELU StochasticDepth]",
        "classifier": "(AdaptiveAvgPool2d Flatten LayerNorm Linear:512:512 Tanh Linear:{features}:{classes})",
    },
    "video": {
        "stem": "[Conv3d BatchNorm3d ReLU]",
        **{f"layer{number}": "[Conv3d BatchNorm3d ReLU]" for number in (1, 2, 3, 4)},
        "avgpool": "AdaptiveAvgPool3d",
        "fc": "Linear:{features}:{classes}",
    },
    "fcn": {"backbone": "[Conv2d BatchNorm2d ReLU MaxPool2d]", "classifier": "(Conv2d BatchNorm2d ReLU Dropout:0.1 Conv2d)"},
    "deeplab": {"backbone": "[Conv2d BatchNorm2d ReLU MaxPool2d]", "classifier": "[Conv2d BatchNorm2d ReLU AdaptiveAvgPool2d Dropout:0.5]"},
    "lraspp": {"backbone": "[Conv2d BatchNorm2d Hardswish ReLU]", "classifier": "[Conv2d BatchNorm2d ReLU Sigmoid]"},
}
HEADS = ("fc", "classifier", "heads", "head")  # the last part, whose result is the model's

MODELS: dict[str, tuple[str, int, float]] = {  # name -> parts, features before the head, dropout in it
    **dict.fromkeys(("resnet18", "resnet34"), ("resnet", 512, 0.0)),
    **dict.fromkeys(
        (
            *(f"resnet{depth}" for depth in (50, 101, 152)),
            *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"),
        ),
        ("resnet", 2048, 0.0),
    ),
    **{f"densenet{depth}": ("densenet", features, 0.0) for depth, features in ((121, 1024), (161, 2208), (169, 1664), (201, 1920))},
    **{f"vgg{depth}{norm}": (f"vgg{norm}", 4096, 0.5) for depth in (11, 13, 16, 19) for norm in ("", "_bn")},
    "alexnet": ("alexnet", 4096, 0.5),
    **{f"squeezenet1_{minor}": ("squeezenet", 512, 0.5) for minor in (0, 1)},
    "mobilenet_v2": ("mobilenet", 1280, 0.2),
    **{f"mnasnet{width}": ("mnasnet", 1280, 0.2) for width in ("0_5", "0_75", "1_0", "1_3")},
    "mobilenet_v3_large": ("mobilenet_v3_large", 1280, 0.2),
    "mobilenet_v3_small": ("mobilenet_v3_small", 1024, 0.2),
    **{
        f"efficientnet_{name}": ("efficientnet", features, p)
        for name, features, p in (
            ("b0", 1280, 0.2),
            ("b1", 1280, 0.2),
            ("b2", 1408, 0.3),
            ("b3", 1536, 0.3),
            ("b4", 1792, 0.4),
            ("b5", 2048, 0.4),
            ("b6", 2304, 0.5),
            ("b7", 2560, 0.5),
            ("v2_s", 1280, 0.2),
            ("v2_m", 1280, 0.3),
            ("v2_l", 1280, 0.4),
        )
    },
    **{f"convnext_{size}": ("convnext", features, 0.0) for size, features in (("tiny", 768), ("small", 768), ("base", 1024), ("large", 1536))},
    **{
        f"regnet_{name}": ("regnet", 0, 0.0)
        for name in (
            "x_400mf",
            "x_800mf",
            "x_1_6gf",
            "x_3_2gf",
            "x_8gf",
            "x_16gf",
            "x_32gf",
            "y_400mf",
            "y_800mf",
            "y_1_6gf",
            "y_3_2gf",
            "y_8gf",
            "y_16gf",
            "y_32gf",
            "y_128gf",
        )
    },
    **{f"shufflenet_v2_x{width}": ("shufflenet", features, 0.0) for width, features in (("0_5", 1024), ("1_0", 1024), ("1_5", 1024), ("2_0", 2048))},
    "googlenet": ("googlenet", 1024, 0.2),
    "inception_v3": ("googlenet", 2048, 0.5),
    **{f"swin_{version}{size}": ("swin", features, 0.0) for version in ("", "v2_") for size, features in (("t", 768), ("s", 768), ("b", 1024))},
    **{f"vit_{name}": ("vit", features, 0.0) for name, features in (("b_16", 768), ("b_32", 768), ("l_16", 1024), ("l_32", 1024), ("h_14", 1280))},
    "maxvit_t": ("maxvit", 512, 0.0),
    **{f"video.{name}": ("video", 512, 0.0) for name in ("r3d_18", "mc3_18", "r2plus1d_18")},
    **{f"segmentation.{name}": ("fcn", 512, 0.0) for name in ("fcn_resnet50", "fcn_resnet101")},
    **{f"segmentation.{name}": ("deeplab", 256, 0.0) for name in ("deeplabv3_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large")},
    "segmentation.lraspp_mobilenet_v3_large": ("lraspp", 128, 0.0),
}
LAYER_SETTINGS = {"Linear": ("in_features", "out_features"), "Dropout": ("p",)}
