"""The constructors of torch.nn's layers, with their defaults."""

from __future__ import annotations

_MADE = "device=None, dtype=None"
_CONV = "kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros'"
_TRANSPOSED = "kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros'"
_BATCH = f"eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, {_MADE}, *, bias=True"
_SAMPLE = f"eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, {_MADE}, *, bias=True"
_RNN = f"bias=True, batch_first=False, dropout=0.0, bidirectional=False, {_MADE}"
_BLOCK = (
    "d_model, nhead, dim_feedforward=2048, dropout=0.1, activation='relu', layer_norm_eps=1e-05, batch_first=False, norm_first=False, "
    f"bias=True, {_MADE}"
)
_EMBEDDING = "max_norm=None, norm_type=2.0, scale_grad_by_freq=False"
_DIMENSIONS = (1, 2, 3)

LAYERS: dict[str, str] = {
    "Linear": f"in_features, out_features, bias=True, {_MADE}",
    "LazyLinear": f"out_features, bias=True, {_MADE}",
    "Bilinear": f"in1_features, in2_features, out_features, bias=True, {_MADE}",
    **{f"Conv{n}d": f"in_channels, out_channels, {_CONV}, {_MADE}" for n in _DIMENSIONS},
    **{f"LazyConv{n}d": f"out_channels, {_CONV}, {_MADE}" for n in _DIMENSIONS},
    **{f"ConvTranspose{n}d": f"in_channels, out_channels, {_TRANSPOSED}, {_MADE}" for n in _DIMENSIONS},
    **{f"LazyConvTranspose{n}d": f"out_channels, {_TRANSPOSED}, {_MADE}" for n in _DIMENSIONS},
    **{f"BatchNorm{n}d": f"num_features, {_BATCH}" for n in _DIMENSIONS},
    **{f"LazyBatchNorm{n}d": _BATCH for n in _DIMENSIONS},
    "SyncBatchNorm": "num_features, " + _BATCH.replace("device", "process_group=None, device", 1),
    **{f"InstanceNorm{n}d": f"num_features, {_SAMPLE}" for n in _DIMENSIONS},
    **{f"LazyInstanceNorm{n}d": _BATCH for n in _DIMENSIONS},
    "LayerNorm": f"normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, {_MADE}",
    "RMSNorm": f"normalized_shape, eps=None, elementwise_affine=True, {_MADE}",
    "GroupNorm": f"num_groups, num_channels, eps=1e-05, affine=True, {_MADE}, *, bias=True",
    "LocalResponseNorm": "size, alpha=0.0001, beta=0.75, k=1.0",
    "CrossMapLRN2d": "size, alpha=0.0001, beta=0.75, k=1",
    "RNN": f"input_size, hidden_size, num_layers=1, nonlinearity='tanh', {_RNN}",
    "LSTM": f"input_size, hidden_size, num_layers=1, {_RNN.replace(_MADE, f'proj_size=0, {_MADE}')}",
    "GRU": f"input_size, hidden_size, num_layers=1, {_RNN}",
    "RNNCell": f"input_size, hidden_size, bias=True, nonlinearity='tanh', {_MADE}",
    "LSTMCell": f"input_size, hidden_size, bias=True, {_MADE}",
    "GRUCell": f"input_size, hidden_size, bias=True, {_MADE}",
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"), "p=0.5, inplace=False"),
    "Embedding": f"num_embeddings, embedding_dim, padding_idx=None, {_EMBEDDING}, sparse=False, _weight=None, _freeze=False, {_MADE}",
    "EmbeddingBag": (
        f"num_embeddings, embedding_dim, {_EMBEDDING}, mode='mean', sparse=False, _weight=None, include_last_offset=False, padding_idx=None, {_MADE}"
    ),
    "MultiheadAttention": (
        f"embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None, vdim=None, batch_first=False, {_MADE}"
    ),
    "TransformerEncoderLayer": _BLOCK,
    "TransformerDecoderLayer": _BLOCK,
    "TransformerEncoder": "encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True",
    "TransformerDecoder": "decoder_layer, num_layers, norm=None",
    "Transformer": (
        "d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048, dropout=0.1, activation='relu', "
        f"custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, {_MADE}"
    ),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Softmin"), "dim=None"),
    **dict.fromkeys(("Softmax2d", "Sigmoid", "LogSigmoid", "Tanh", "Softsign", "Tanhshrink", "Identity"), ""),
    **dict.fromkeys(("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid"), "inplace=False"),
    **dict.fromkeys(("ELU", "CELU"), "alpha=1.0, inplace=False"),
    "LeakyReLU": "negative_slope=0.01, inplace=False",
    "PReLU": f"num_parameters=1, init=0.25, {_MADE}",
    "RReLU": "lower=0.125, upper=0.3333333333333333, inplace=False",
    "GELU": "approximate='none'",
    "GLU": "dim=-1",
    "Softplus": "beta=1.0, threshold=20.0",
    "Hardtanh": "min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None",
    **dict.fromkeys(("Hardshrink", "Softshrink"), "lambd=0.5"),
    "Threshold": "threshold, value, inplace=False",
    "Flatten": "start_dim=1, end_dim=-1",
    "Unflatten": "dim, unflattened_size",
    **{f"MaxPool{n}d": "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False" for n in _DIMENSIONS},
    **{f"MaxUnpool{n}d": "kernel_size, stride=None, padding=0" for n in _DIMENSIONS},
    "AvgPool1d": "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True",
    **{f"AvgPool{n}d": "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None" for n in (2, 3)},
    **{f"LPPool{n}d": "norm_type, kernel_size, stride=None, ceil_mode=False" for n in _DIMENSIONS},
    **{f"FractionalMaxPool{n}d": "kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None" for n in (2, 3)},
    **{f"AdaptiveAvgPool{n}d": "output_size" for n in _DIMENSIONS},
    **{f"AdaptiveMaxPool{n}d": "output_size, return_indices=False" for n in _DIMENSIONS},
    "Upsample": "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None",
    **dict.fromkeys(("UpsamplingNearest2d", "UpsamplingBilinear2d"), "size=None, scale_factor=None"),
    "PixelShuffle": "upscale_factor",
    "PixelUnshuffle": "downscale_factor",
    "ChannelShuffle": "groups",
    **{f"{kind}Pad{n}d": "padding" for kind in ("Zero", "Reflection", "Replication", "Circular") for n in _DIMENSIONS},
    **{f"ConstantPad{n}d": "padding, value" for n in _DIMENSIONS},
    "Fold": "output_size, kernel_size, dilation=1, padding=0, stride=1",
    "Unfold": "kernel_size, dilation=1, padding=0, stride=1",
    "CosineSimilarity": "dim=1, eps=1e-08",
    "PairwiseDistance": "p=2.0, eps=1e-06, keepdim=False",
    "AdaptiveLogSoftmaxWithLoss": f"in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, {_MADE}",
}
