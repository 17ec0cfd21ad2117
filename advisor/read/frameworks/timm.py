"""timm: models by name, optimizers and schedulers by its factories, averages, its one-call scaler."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Flow, Group, Loss, Module, Optimizer, Parameters, Scaler, Scheduler
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, Unknown, number, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flow_of, graph_of_weights, merge
from advisor.read.frameworks.torch.optim import OPTIMIZERS, built
from advisor.read.frameworks.torch.optim import register as register_optimizer
from advisor.read.frameworks.torch.parameters import groups, parameters
from advisor.read.frameworks.torch.schedulers import bound_to, build
from advisor.read.frameworks.torch.wrappers import copied
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Opaque, Tensor, Value, mapping, members, sequence, setting

VERSION = table.VERSIONS["timm"] = "timm 1.0"
CONVOLUTIONAL = (
    "resnet", "resnext", "resnetv2", "wide_resnet", "seresnet", "seresnext", "ecaresnet", "skresnet", "resnest", "regnet", "densenet", "efficientnet",
    "tf_efficientnet", "mobilenet", "mnasnet", "mixnet", "ghostnet", "inception", "xception", "dla", "dpn", "hrnet", "nfnet", "rexnet", "tresnet",
    "cspresnet", "cspdarknet", "vgg16_bn", "vgg19_bn", "repvgg", "gernet", "lcnet", "fbnet", "spnasnet", "semnasnet", "hardcorenas", "gluon_resnet",
)  # fmt: skip
ATTENTIVE = ("vit_", "deit", "swin", "beit", "cait", "xcit", "eva", "convit", "pit_", "levit", "maxvit", "coat", "crossvit", "volo", "twins", "mvit")
LAST = {  # what the last part is called, which a program may put another in the place of; it is given pooled features
    "fc": ("resnet", "resnext", "wide_resnet", "seresnet", "seresnext", "ecaresnet", "skresnet", "resnest", "xception", "gluon_resnet"),
    "classifier": ("efficientnet", "tf_efficientnet", "mobilenet", "mnasnet", "mixnet", "ghostnet", "densenet", "hrnet", "lcnet", "fbnet"),
    "head": ("vit_", "deit", "beit", "eva", "cait"),
}
OTHERWISE = ("resnetv2", "distilled", "deit3_", "xception41p", "xception65p", "mobilenetv4", "mobilenetv5")  # built otherwise than their kin
HEADS = (None, 0, 1000, 21841, 21843)  # numbers of classes with which no new last layer is drawn: none asked for, no head, those of published weights
KINDS = {  # names of the factory
    "sgd": "torch.optim.SGD", "nesterov": "torch.optim.SGD", "momentum": "torch.optim.SGD", "adam": "torch.optim.Adam", "adamw": "torch.optim.AdamW",
    "nadam": "torch.optim.NAdam", "radam": "torch.optim.RAdam", "adamax": "torch.optim.Adamax", "adadelta": "torch.optim.Adadelta",
    "adagrad": "torch.optim.Adagrad", "rmsprop": "torch.optim.RMSprop", "rmsproptf": "timm.optim.RMSpropTF", "lamb": "timm.optim.Lamb",
    "lars": "timm.optim.Lars", "lion": "timm.optim.Lion", "adafactor": "timm.optim.Adafactor", "adabelief": "timm.optim.AdaBelief",
    "nadamw": "timm.optim.NAdamW", "sgdw": "timm.optim.SGDW", "muon": "timm.optim.Muon", "adan": "timm.optim.Adan",
}  # fmt: skip
SMALL = {  # timm's own optimizers
    "RMSpropTF": "params, lr=0.01, alpha=0.9, eps=1e-10, weight_decay=0, momentum=0.0, centered=False, decoupled_decay=False, lr_in_momentum=True",
    "Lamb": "params, lr=0.001, bias_correction=True, betas=(0.9, 0.999), eps=1e-06, weight_decay=0.01",
    "Lars": "params, lr=1.0, momentum=0, dampening=0, weight_decay=0, nesterov=False, trust_coeff=0.001, eps=1e-08",
    "Lion": "params, lr=0.0001, betas=(0.9, 0.99), weight_decay=0.0",
    "AdaBelief": "params, lr=0.001, betas=(0.9, 0.999), eps=1e-16, weight_decay=0, amsgrad=False, decoupled_decay=True",
    "NAdamW": "params, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01",
    "SGDW": "params, lr=0.001, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False",
    "Muon": "params, lr=0.02, weight_decay=0, momentum=0.95, nesterov=False",
    "Adan": "params, lr=0.001, betas=(0.98, 0.92, 0.99), eps=1e-08, weight_decay=0.0, no_prox=False",
}
for _name, _text in SMALL.items():
    register_optimizer(f"timm.optim.{_name}", _text, VERSION)
FACTORY = (
    "model_or_params, opt='sgd', lr=None, weight_decay=0.0, momentum=0.9, foreach=None, filter_bias_and_bn=True, fallback_list=(), "
    "fallback_no_weight_decay=False, layer_decay=None"
)
OPTIONS = ("opt", "lr", "weight_decay", "momentum")  # what the factory takes from parsed arguments
_CYCLE = "cycle_mul=1.0, cycle_decay=1.0, cycle_limit=1, warmup_t=0, warmup_lr_init=0.0, warmup_prefix=False, t_in_epochs=True"
SCHEDULERS = {
    "CosineLRScheduler": f"optimizer, t_initial, lr_min=0.0, {_CYCLE}",
    "PolyLRScheduler": f"optimizer, t_initial, power=0.5, lr_min=0.0, {_CYCLE}",
    "TanhLRScheduler": f"optimizer, t_initial, lb=-7.0, ub=3.0, lr_min=0.0, {_CYCLE}",
    "StepLRScheduler": "optimizer, decay_t, decay_rate=1.0, warmup_t=0, warmup_lr_init=0.0, warmup_prefix=True, t_in_epochs=True",
    "MultiStepLRScheduler": "optimizer, decay_t, decay_rate=1.0, warmup_t=0, warmup_lr_init=0.0, warmup_prefix=True, t_in_epochs=True",
    "PlateauLRScheduler": (
        "optimizer, decay_rate=0.1, patience_t=10, threshold=0.0001, cooldown_t=0, warmup_t=0, warmup_lr_init=0.0, lr_min=0.0, mode='max'"
    ),
}
LOSSES = {
    "LabelSmoothingCrossEntropy": "smoothing=0.1",
    "SoftTargetCrossEntropy": "",
    "JsdCrossEntropy": "num_splits=3, alpha=12, smoothing=0.1",
    "BinaryCrossEntropy": "smoothing=0.1, target_threshold=None, weight=None, reduction='mean', sum_classes=False, pos_weight=None",
    "AsymmetricLossMultiLabel": "gamma_neg=4, gamma_pos=1, clip=0.05, eps=1e-08",
    "AsymmetricLossSingleLabel": "gamma_pos=1, gamma_neg=4, eps=0.1, reduction='mean'",
}


def canonical(name: str) -> str:
    """timm.models.create_model -> timm.create_model; timm.models.layers.X -> timm.layers.X; timm.optim.optim_factory.X -> timm.optim.X."""
    last = name.rpartition(".")[2]
    if last in ("create_model", "list_models", "is_model"):
        return f"timm.{last}"
    if name.startswith(("timm.models.layers.", "timm.layers.")):
        return f"timm.layers.{last}"
    for room in ("optim", "scheduler", "loss", "utils", "data"):
        if name.startswith(f"timm.{room}.") and last not in ("from_pretrained",):
            return f"timm.{room}.{last}"
    return name


table.RENAMES["timm"] = canonical


# --- models ------------------------------------------------------------------------------------------------------


@table.function("timm.create_model")
def create_model(call: LibraryCall) -> Value:
    """timm.create_model("resnet50", pretrained=True, num_classes=10)"""
    name = call.reader.plain(call.get("model_name", 0))
    return _model(call, name if isinstance(name, str) else "", call.get("pretrained", 1))


@table.prefix("timm.models")
def by_name(call: LibraryCall) -> Value | None:
    """timm.models.resnet50(pretrained=True), timm.models.resnest.resnest26d(): the same by the functions that the factory looks up."""
    last = call.name.rpartition(".")[2]
    return _model(call, last, call.get("pretrained", 0)) if last.startswith((*CONVOLUTIONAL, *ATTENTIVE)) else None


def _model(call: LibraryCall, text: str, given: Value | None) -> Value:
    fact = Module(call.place, kind=f"timm.{text or 'model'}", complete=False, why="a model of a library")
    fact.pretrained = setting(given) if given is not None else ABSENT if call.arguments.exact else Unknown("it may be given by ** arguments")
    fact.settings = {key: setting(value) for key, value in call.arguments.keywords.items() if key not in ("pretrained", "model_name")}
    base = text.partition(".")[0].removeprefix("hf_hub:timm/")
    kinds = ("Conv2d", "BatchNorm2d", "Linear") if base.startswith(CONVOLUTIONAL) else ("LayerNorm", "Linear") if base.startswith(ATTENTIVE) else ()
    for kind in kinds:
        fact.children[kind.lower()] = Module(call.place, kind=f"torch.nn.{kind}")
    if "linear" in fact.children and number(fact.settings.get("num_classes")) not in HEADS:
        fact.children["linear"].pretrained = Known(False)  # the last layer is a new one
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance("timm.model", role="module", fact=fact, node=call.node)


@table.invoke("timm.model")
def forward(call: LibraryCall) -> Value | None:
    """A classifier gives scores; features_only and num_classes=0 give features."""
    fact = call.this.fact
    if not isinstance(fact, Module) or "features_only" in fact.settings:
        return None
    classes = fact.settings.get("num_classes")
    given = [flow for value in call.arguments.positional if (flow := flow_of(value)) is not None]
    flow = replace(merge(call.reader, given) if given else Flow(), graph=graph_of_weights(call.reader))
    replaced = {key: part for key in LAST if isinstance(part := call.this.attributes.get(key), Instance)}
    if replaced:
        name = fact.kind.removeprefix("timm.").removeprefix("hf_hub:timm/")
        own = next((key for key, kin in LAST.items() if name.startswith(kin) and not any(word in name for word in OTHERWISE)), "")
        return call.reader.call(replaced[own], Arguments([Tensor(replace(flow, rank=2))]), call.node) if own in replaced else Tensor(flow)
    if number(classes) == 0:
        return Tensor(flow)
    return Tensor(replace(flow, activation="linear", activation_at=fact.place, width=classes, rank=2))


@table.method("timm.model", "reset_classifier", "get_classifier", "set_grad_checkpointing", "no_weight_decay", "group_matcher", "default_cfg")
def quiet(call: LibraryCall) -> Value:
    """Changes the head, or looks."""
    fact = call.this.fact
    if call.name.endswith("reset_classifier") and isinstance(fact, Module):
        fact.settings = {**fact.settings, "num_classes": call.setting("num_classes", 0)}
    return NONE


@table.prefix("timm.layers")
def layer(call: LibraryCall) -> Value | None:
    """Layers by their class; trunc_normal_ and its like draw."""
    last = call.name.rpartition(".")[2]
    if last.endswith("_"):
        call.reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="init", generator=False)
        return call.arguments.positional[0] if call.arguments.positional else NONE
    if not last[:1].isupper():
        return None
    fact = Module(call.place, kind=call.name, settings={key: setting(value) for key, value in call.arguments.keywords.items()})
    if last == "DropPath":
        fact.settings["p"] = call.setting("drop_prob", 0, 0.0)
    elif last not in ("LayerNorm2d", "Mlp", "PatchEmbed"):
        fact.complete, fact.why = False, "a layer of a library"
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="module", fact=fact, node=call.node)


# --- optimizers and schedulers -----------------------------------------------------------------------------------


@table.function("timm.optim.create_optimizer_v2")
def create_optimizer(call: LibraryCall) -> Value:
    """create_optimizer_v2(model, opt="adamw", lr=1e-3, weight_decay=0.05): no decay on biases and norms."""
    reader = call.reader
    settings = call.settings(signature(FACTORY), skip=1, version=VERSION)
    return _optimizer(call, settings, {key: setting(value) for key, value in call.arguments.keywords.items() if key not in settings}, reader)


@table.function("timm.optim.create_optimizer")
def create_from_options(call: LibraryCall) -> Value:
    """create_optimizer(args, model): the same, from options."""
    args = call.get("args", 0)
    held = {name: setting(call.reader.attribute(args, name, call.node)) for name in OPTIONS} if args is not None else {}
    defaults = {name: Known(value, default=VERSION) for name, value in signature(FACTORY).items() if name in ("filter_bias_and_bn", "layer_decay")}
    request = LibraryCall(call.reader, call.name, Arguments([v for v in (call.get("model", 1),) if v is not None]), call.node)
    return _optimizer(request, {**defaults, **held}, {}, call.reader)


@table.function("timm.optim.optimizer_kwargs")
def options(call: LibraryCall) -> Value:
    """create_optimizer_v2(model, **optimizer_kwargs(cfg=args)): the options that the factory takes."""
    args = call.get("cfg", 0)
    return mapping({name: call.reader.attribute(args, name, call.node) for name in OPTIONS} if args is not None else {}, exact=False)


def _optimizer(call: LibraryCall, given: dict[str, Setting], extra: dict[str, Setting], reader: Reader) -> Value:
    name = value_of(given.get("opt"))
    short = name.lower().rpartition("_")[2] if isinstance(name, str) else ""
    kind = KINDS.get(short, f"timm.optim.{short or 'optimizer'}")
    text = OPTIMIZERS.get(kind.removeprefix("torch.optim.")) or SMALL.get(kind.removeprefix("timm.optim."))
    settings: dict[str, Setting] = {}
    if text is not None:
        settings = {key: Known(default, default=VERSION) for key, default in signature(text).items() if key != "params"}
    for key in ("lr", "weight_decay"):
        found = given.get(key)
        if found is not None and not (isinstance(found, Known) and found.value is None):
            settings[key] = found
    if "momentum" in settings and "momentum" in given:
        settings["momentum"] = given["momentum"]
    if short in ("sgd", "nesterov", "sgdw"):
        settings["nesterov"] = Known(True, default=VERSION)
    fact = Optimizer(call.place, kind=kind, settings={**settings, **extra})
    whole = call.arguments.positional[0] if call.arguments.positional else call.get("model_or_params")
    model = next((member for member in members(whole) if isinstance(member, Instance) and isinstance(member.fact, Module)), None) if whole else None
    if model is not None and isinstance(model.fact, Module):
        fact.groups = _split(model.fact, given)
    else:
        fact.groups, fact.groups_complete = groups(reader, whole, call.node)
    return built(call, fact)


def _split(module: Module, given: dict[str, Setting]) -> list[Group]:
    decays = number(given.get("weight_decay")) != 0 and value_of(given.get("filter_bias_and_bn")) is not False
    if not decays:
        return [Group(Parameters((module,)))]
    norms = Parameters((module,), exact=False, filtered="biases and norms")
    return [Group(norms, {"weight_decay": Known(0.0, default=VERSION)}), Group(replace(norms, filtered="the other weights"))]


def _scheduler(name: str) -> None:
    full = f"timm.scheduler.{name}"
    table.FUNCTIONS[full] = lambda call: build(call, full, signature(SCHEDULERS[name]))
    table.CLASS_ROLES[full] = "scheduler"


for _name in SCHEDULERS:
    _scheduler(_name)


@table.function("timm.scheduler.create_scheduler", "timm.scheduler.create_scheduler_v2")
def create_scheduler(call: LibraryCall) -> Value:
    """scheduler, num_epochs = create_scheduler(args, optimizer)"""
    optimizer = bound_to(call.get("optimizer", 1 if call.name.endswith("scheduler") else 0))
    settings = {key: setting(value) for key, value in call.arguments.keywords.items() if key not in ("args", "optimizer")}
    fact = Scheduler(call.place, kind=call.name, settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    made = call.reader.instance(call.name, role="scheduler", fact=fact, node=call.node)
    return sequence([made, Opaque("the number of epochs", "int", low=0)], "tuple")


# --- losses, averages, data --------------------------------------------------------------------------------------


def _loss(name: str) -> None:
    full = f"timm.loss.{name}"

    def construct(call: LibraryCall) -> Value:
        fact = Loss(call.place, kind=full, settings=call.settings(signature(LOSSES[name])))
        fact.settings.setdefault("reduction", Known("mean", default=VERSION))
        call.reader.record(fact)
        call.reader.emit(Kind.BUILD, call.node, fact)
        return call.reader.instance(full, role="loss", fact=fact, node=call.node)

    table.FUNCTIONS[full] = construct
    table.CLASS_ROLES[full] = "loss"


for _name in LOSSES:
    _loss(_name)


@table.function("timm.utils.ModelEma", "timm.utils.ModelEmaV2", "timm.utils.ModelEmaV3")
def average(call: LibraryCall) -> Value:
    """An exponential average of a model's weights."""
    source = next((member for member in members(call.get("model", 0) or NONE) if isinstance(member, Instance)), None)
    fact = Module(call.place, kind=call.name, averaged=call.setting("decay", 1, 0.9999))
    attributes: dict[str, Value] = {}
    if source is not None and isinstance(source.fact, Module):
        inner = copied(call.reader, source, call.node)
        fact.copy_of = source.fact
        attributes = {"module": inner, "ema": inner}
        if isinstance(inner.fact, Module):
            fact.children = {"module": inner.fact}
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance("timm.utils.ModelEma", role="module", fact=fact, node=call.node, attributes=attributes)


@table.method("timm.utils.ModelEma", "update", "set")
def update_average(call: LibraryCall) -> Value:
    """ema.update(model)"""
    call.reader.emit(Kind.AVERAGE, call.node, call.this.fact)
    return NONE


@table.function("timm.utils.NativeScaler", "timm.utils.ApexScaler")
def scaler(call: LibraryCall) -> Value:
    """A scaler that does backward, clipping and step in one call."""
    fact = Scaler(call.place, enabled=Known(True))
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance("timm.utils.NativeScaler", role="scaler", fact=fact, node=call.node)


@table.invoke("timm.utils.NativeScaler")
def scale_and_step(call: LibraryCall) -> Value:
    """loss_scaler(loss, optimizer, clip_grad=1.0, parameters=model.parameters())"""
    reader, fact = call.reader, call.this.fact
    flow = flow_of(call.get("loss", 0)) or Flow()
    reader.emit(Kind.BACKWARD, call.node, flow=flow, scaler=fact, retain_graph=ABSENT, create_graph=call.setting("create_graph", 5, False))
    need = call.get("need_update", 6)
    if need is not None and reader.truth(need) is False:
        return NONE
    optimizer = bound_to(call.get("optimizer", 1))
    clip = call.get("clip_grad", 2)
    if clip is not None and not (isinstance(clip, Constant) and clip.value is None):
        reader.emit(Kind.UNSCALE, call.node, fact, optimizer=optimizer)
        held = Clip(call.place, kind="norm", value=setting(clip), parameters=parameters(reader, call.get("parameters", 4), call.node))
        reader.emit(Kind.CLIP, call.node, reader.record(held))
    reader.emit(Kind.OPTIMIZER_STEP, call.node, optimizer, scaler=fact, closure=False)
    reader.emit(Kind.SCALER_UPDATE, call.node, fact)
    return NONE


@table.function("timm.data.create_transform")
def transform(call: LibraryCall) -> Value:
    """A pipeline whose steps are not known."""
    return call.reader.instance(call.name, role="transform", node=call.node, data={"steps": None})


@table.prefix("timm.utils", "timm.data")
def other(call: LibraryCall) -> Value | None:
    """Meters, accuracies, configurations: they change nothing."""
    last = call.name.rpartition(".")[2]
    if last == "accuracy":
        flow = flow_of(call.get("output", 0)) or Flow()
        hits = Flow(modules=flow.modules, source=flow.source, sources=flow.sources, graph="cut", metric="accuracy", direction="max", scale="percent")
        return sequence([Tensor(hits), Tensor(hits)], "list", exact=False)
    return call.reader.instance(call.name, node=call.node) if last[:1].isupper() and not call.reader.tracked(call.arguments.positional) else None
