# Optimizers and schedules of the page, where torch and PEFT have others.

class DecoupledSGD(torch.optim.SGD):
    """SGD whose weight decay shrinks the weights and stays out of the momentum."""

    @torch.no_grad()
    def step(self, closure=None):
        decays = [group["weight_decay"] for group in self.param_groups]
        for group, decay in zip(self.param_groups, decays):
            for parameter in group["params"]:
                parameter.mul_(1 - group["lr"] * decay)
            group["weight_decay"] = 0.0
        loss = super().step(closure)
        for group, decay in zip(self.param_groups, decays):
            group["weight_decay"] = decay
        return loss


def trained(model):
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def lora_b_of(model):
    """LoRA-FA as the page has it: lora_A rests. PEFT's own LoRA-FA also preconditions."""
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            parameter.requires_grad_(False)
    return trained(model)


def factor(run, step):
    """What lr is multiplied with at a step, which counts from 0."""
    warmup = run["warmup_steps"]
    if step < warmup:
        return step / warmup
    progress = min(1.0, (step - warmup) / max(1, STEPS - warmup))
    if run["decay"] == "linear":
        return 1 - progress
    if run["decay"] == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    return 1.0
