"""Parts of real models as their libraries build them, without numbers."""


def part(model):
    config = model.config.to_dict() if hasattr(model.config, "to_dict") else dict(model.config)
    if "_class_name" not in config and "architectures" not in config:
        config["_class_name"] = type(model).__name__
    names = {"_class_name", "architectures", "model_type"}
    kept = {k: v for k, v in config.items()
            if k in names or isinstance(v, (int, float, str, list, tuple)) and not k.startswith("_")}
    return {"config": kept, "tensors": {n: list(t.shape) for n, t in model.state_dict().items()}}
