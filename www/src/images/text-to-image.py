"""The Images experiment of riemann-lora's page at its real size: LoRA of a Stable Diffusion on a subject or a style.

    pip install torch transformers diffusers accelerate "peft>=0.21" pillow
    python text-to-image.py PICTURES                          # Stable Diffusion 1.5
    python text-to-image.py PICTURES --base stabilityai/stable-diffusion-xl-base-1.0
    python text-to-image.py PICTURES --text-lr 1e-3           # all runs with another rate of the text encoder

PICTURES is a folder with metadata.jsonl, which the page's Images tab saves: a line a picture, with file_name, text (its
caption) and validation where it is only measured on. The pictures lie beside it, of any size.

Every run begins with the same factors, sees the same pictures, noise and times, and draws from the same noise. Denoiser and
text encoder have learning rates and dampings of their own. Drawings and adapters are in OUTPUT, a folder a run, and a
training that was ended goes on where it was kept last.
"""

import argparse
import json
import math
import pathlib

import torch
from diffusers import DDIMScheduler, DDPMScheduler, DiffusionPipeline
from diffusers.training_utils import cast_training_params
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model, set_peft_model_state_dict
from peft.optimizers import create_loraplus_optimizer, create_riemannian_optimizer
from PIL import Image, ImageOps, UnidentifiedImageError

# SETTINGS

# OPTIMIZERS

# DRAWS

# Seeds of a training are far from one another: a step has one of its own.
STEPS_OF_A_SEED = 2**32
# Noises and times at which each picture of the validation is seen.
LOOKS = 8


def described(folder):
    """Paths, captions and whether they are held out, of all pictures; what is missing is told at once."""
    try:
        lines = (folder / "metadata.jsonl").read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise SystemExit(f"{folder} has no metadata.jsonl ({error.strerror}): save it from the page's Images tab into the folder of the pictures.") from error
    found, problems = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            path, caption = folder / row["file_name"], row["text"]
            if not caption.strip():
                raise ValueError("its text is empty")
            with Image.open(path) as picture:
                picture.load()
            found.append((path, caption, bool(row.get("validation", False))))
        except FileNotFoundError:
            problems.append(f"line {number}: {path} is not there")
        except (ValueError, KeyError, TypeError, AttributeError, OSError, UnidentifiedImageError) as error:
            problems.append(f"line {number}: {type(error).__name__} {error}")
    if problems:
        raise SystemExit("\n".join([f"{folder / 'metadata.jsonl'} and its pictures do not fit:", *problems[:20], "Put the pictures beside it under these names, or take the lines out."]))
    if all(held_out for _, _, held_out in found):
        raise SystemExit(f"{folder / 'metadata.jsonl'} leaves no picture to train on.")
    return found


def pixels_of(path, side):
    """A picture as the page reads it: on white, with white beside what is no square; [3, side, side], from -1 to 1."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    picture = Image.alpha_composite(ground, picture).convert("RGB")
    picture = ImageOps.pad(picture, (side, side), method=Image.Resampling.LANCZOS, color="white")
    values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(side, side, 3)
    return values.permute(2, 0, 1).float() / 127.5 - 1


class Painter:
    """A pipeline whose denoiser and text encoders can have adapters."""

    def __init__(self, arguments):
        self.device = torch.device(arguments.device)
        self.half = torch.bfloat16 if arguments.half else torch.float32
        self.pipeline = DiffusionPipeline.from_pretrained(arguments.base).to(self.device)
        if arguments.half:
            self.pipeline.to(torch.bfloat16)
        self.pipeline.set_progress_bar_config(disable=True)
        names = ["text_encoder", "text_encoder_2"]
        self.encoders = {name: part for name in names if (part := getattr(self.pipeline, name, None)) is not None}
        self.denoiser = self.pipeline.unet
        if not self.encoders or getattr(self.pipeline, "unet", None) is None:
            raise SystemExit(f"{arguments.base} has no U-Net with CLIP text encoders: Stable Diffusion 1.x, 2.x and XL have them.")
        for part in (self.denoiser, self.pipeline.vae, *self.encoders.values()):
            part.requires_grad_(False)
        if GRADIENT_CHECKPOINTING:
            self.denoiser.enable_gradient_checkpointing()
        self.side = arguments.side or self.denoiser.config.sample_size * self.pipeline.vae_scale_factor
        self.noising = DDPMScheduler.from_config(self.pipeline.scheduler.config)
        # Draws the same picture from the same noise.
        self.pipeline.scheduler = DDIMScheduler.from_config(self.pipeline.scheduler.config)

    @property
    def parts(self):
        return {"unet": self.denoiser, **self.encoders}

    def begin(self):
        """Fresh factors, the same in every run."""
        torch.manual_seed(SEED)
        for name, part in self.parts.items():
            targets = DENOISER_TARGETS if name == "unet" else TEXT_TARGETS
            # By PEFT itself: transformers 5.24 asks for a PEFT that is not released yet.
            inject_adapter_in_model(LoraConfig(target_modules=targets, **LORA), part)
            cast_training_params(part, torch.float32)

    def train(self, on):
        """Whether dropout is on."""
        for part in self.parts.values():
            part.train(on)

    def end(self):
        self.pipeline.unload_lora_weights()

    def factors(self):
        """The factors of every part; on the CPU, as they are kept."""
        return {name: {key: value.detach().cpu() for key, value in get_peft_model_state_dict(part).items()} for name, part in self.parts.items()}

    @torch.no_grad()
    def latents(self, pictures):
        vae = self.pipeline.vae
        images = (pixels_of(path, self.side)[None].to(self.device, self.half) for path in pictures)
        return torch.cat([vae.encode(image).latent_dist.mean.float() for image in images]) * vae.config.scaling_factor

    def conditions(self, captions):
        """What captions say to the denoiser."""

        def ids_of(tokenizer):
            options = {"padding": "max_length", "truncation": True, "return_tensors": "pt"}
            return tokenizer(captions, max_length=tokenizer.model_max_length, **options).input_ids.to(self.device)

        if "text_encoder_2" not in self.encoders:
            return self.encoders["text_encoder"](ids_of(self.pipeline.tokenizer))[0], None
        tokenizers = {"text_encoder": self.pipeline.tokenizer, "text_encoder_2": self.pipeline.tokenizer_2}
        told = {name: encoder(ids_of(tokenizers[name]), output_hidden_states=True) for name, encoder in self.encoders.items()}
        states = torch.cat([one.hidden_states[-2] for one in told.values()], dim=-1)
        place = torch.tensor([[self.side, self.side, 0, 0, self.side, self.side]], device=self.device)
        return states, {"text_embeds": told["text_encoder_2"][0], "time_ids": place.repeat(len(captions), 1)}

    def losses(self, latents, captions, noise, times):
        """The squared error of each picture's prediction, [pictures]."""
        noisy = self.noising.add_noise(latents, noise, times)
        target = noise if self.noising.config.prediction_type == "epsilon" else self.noising.get_velocity(latents, noise, times)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half != torch.float32):
            states, added = self.conditions(captions)
            predicted = self.denoiser(noisy, times, encoder_hidden_states=states, added_cond_kwargs=added).sample
        return (predicted.float() - target.float()).square().flatten(1).mean(1)

    def draw(self, path):
        """One picture a caption, side by side, each from a noise of its own that is the same in every drawing."""
        self.train(False)
        drawn = []
        for number, caption in enumerate(CAPTIONS):
            noise = torch.Generator().manual_seed(DRAW_SEED + number)
            options = {"num_inference_steps": DRAW_STEPS, "guidance_scale": GUIDANCE, "height": self.side, "width": self.side}
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half != torch.float32):
                answer = self.pipeline(caption, generator=noise, **options)
            if any(getattr(answer, "nsfw_content_detected", None) or []):
                print(f"{path}: the pipeline's safety checker has blackened “{caption}”")
            drawn += answer.images
        strip = Image.new("RGB", (self.side * len(drawn), self.side))
        for number, picture in enumerate(drawn):
            strip.paste(picture, (self.side * number, 0))
        path.parent.mkdir(parents=True, exist_ok=True)
        strip.save(path)


def order_of(count, step):
    """The pictures of a step: every epoch is a shuffle, and they follow each other without a gap."""
    places = range(step * BATCH_SIZE, (step + 1) * BATCH_SIZE)
    return [shuffled(count, SEED, place // count)[place % count] for place in places]


def drawn_noise(painter, latents, seed):
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(latents.shape, generator=random)
    times = torch.randint(painter.noising.config.num_train_timesteps, (len(latents),), generator=random)
    return noise.to(painter.device), times.to(painter.device)


@torch.no_grad()
def validation_loss(painter, latents, captions):
    painter.train(False)
    losses = []
    for number, caption in enumerate(captions):
        own = latents[number : number + 1].repeat(LOOKS, 1, 1, 1)
        noise, times = drawn_noise(painter, own, number)
        losses += painter.losses(own, [caption] * LOOKS, noise, times).tolist()
    return sum(losses) / len(losses)


class Run:
    """One run: its optimizers, and what is kept of it."""

    def __init__(self, run, painter, arguments, folder):
        self.run, self.painter, self.folder = run, painter, folder
        self.step, self.losses, self.validation = 0, [], {}
        own = {"lr": run["lr"] if arguments.lr is None else arguments.lr, "reg": run["damping"] if arguments.damping is None else arguments.damping}
        text = {"lr": run["text_lr"] if arguments.text_lr is None else arguments.text_lr, "reg": run["text_damping"] if arguments.text_damping is None else arguments.text_damping}
        painter.begin()
        self.optimizers = [run["optimizer"](part, **(own if name == "unet" else text)) for name, part in painter.parts.items()]
        self.schedules = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: factor(run, step)) for each in self.optimizers]
        # What is kept belongs to these settings and no others.
        self.settings = json.dumps([run["name"], own, text, LORA, DENOISER_TARGETS, TEXT_TARGETS, BATCH_SIZE, STEPS, SEED, arguments.base, painter.side])
        self.kept = folder / "training.pt"
        if self.kept.exists():
            self.resume()

    def resume(self):
        state = torch.load(self.kept, map_location="cpu", weights_only=True)
        if state["settings"] != self.settings:
            raise SystemExit(f"{self.kept} is a training with other settings: name another folder with --output, or delete it.")
        for name, part in self.painter.parts.items():
            set_peft_model_state_dict(part, state["factors"][name])
        for each, saved in zip([*self.optimizers, *self.schedules], state["optimizers"]):
            each.load_state_dict(saved)
        self.step, self.losses, self.validation = state["step"], state["losses"], state["validation"]
        print(f"{self.run['name']}  goes on after step {self.step}", flush=True)

    def keep(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "settings": self.settings,
            "factors": self.painter.factors(),
            "optimizers": [each.state_dict() for each in (*self.optimizers, *self.schedules)],
            "step": self.step, "losses": self.losses, "validation": self.validation,
        }
        part = self.kept.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.kept)

    def train_step(self, latents, captions):
        """The mean loss over a batch, after which both parts have moved."""
        self.painter.train(True)
        torch.manual_seed(SEED + self.step)  # Dropout, the same in every run and after a break.
        places = order_of(len(latents), self.step)
        batch = latents[places]
        noise, times = drawn_noise(self.painter, batch, SEED + (self.step + 1) * STEPS_OF_A_SEED)
        size, mean = MICRO_BATCH_SIZE or BATCH_SIZE, 0.0
        for first in range(0, BATCH_SIZE, size):
            rows = slice(first, first + size)
            losses = self.painter.losses(batch[rows], [captions[place] for place in places[rows]], noise[rows], times[rows])
            (losses.sum() / BATCH_SIZE).backward()
            mean += float(losses.detach().sum()) / BATCH_SIZE
        all_factors = [weights for part in self.painter.parts.values() for weights in trained(part)]
        if self.run["max_grad_norm"] is not None:
            torch.nn.utils.clip_grad_norm_(all_factors, self.run["max_grad_norm"])
        for optimizer, schedule in zip(self.optimizers, self.schedules):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        self.step += 1
        is_sound = math.isfinite(mean) and all(bool(weights.isfinite().all()) for weights in all_factors)
        return mean if is_sound else None

    def save(self):
        layers = {f"{name}_lora_layers": convert_state_dict_to_diffusers(get_peft_model_state_dict(part)) for name, part in self.painter.parts.items()}
        # With alpha, which the weights do not tell.
        about = {f"{name}_lora_adapter_metadata": part.peft_config["default"].to_dict() for name, part in self.painter.parts.items()}
        self.painter.pipeline.save_lora_weights(self.folder, **layers, **about)


def train(run, painter, arguments, pictures):
    """Trains one run to its end, or to where it diverges."""
    (latents, captions), (held_latents, held_captions) = pictures
    folder = arguments.output / "".join(letter if letter.isalnum() else "-" for letter in run["name"])
    own = Run(run, painter, arguments, folder)
    say = lambda words: print(f"{run['name']}  step {own.step}  {words}", flush=True)

    def measure():
        if held_captions and VALIDATE_EVERY:
            own.validation[own.step] = validation_loss(painter, held_latents, held_captions)
            say(f"validation loss {own.validation[own.step]:.4f}")

    if own.step == 0:
        measure()
    diverged_at = None
    while own.step < STEPS and diverged_at is None:
        loss = own.train_step(latents, captions)
        if loss is None:
            diverged_at = own.step
            say("has diverged; a smaller rate, or more damping, would not")
            break
        own.losses.append(loss)
        say(f"loss {loss:.4f}")
        over = own.step == STEPS
        if VALIDATE_EVERY and (own.step % VALIDATE_EVERY == 0 or over):
            measure()
        if over or (DRAW_EVERY and own.step % DRAW_EVERY == 0):
            painter.draw(folder / f"step-{own.step:06d}.png")
        if over or (KEEP_EVERY and own.step % KEEP_EVERY == 0):
            own.keep()
    if diverged_at is None:
        own.save()
    painter.end()
    return {"name": run["name"], "losses": own.losses, "validation": own.validation, "diverged_at": diverged_at}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=pathlib.Path, help="folder with metadata.jsonl and the pictures")
    parser.add_argument("--base", default=BASE, help="id on the Hugging Face hub, or a folder")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("text-to-image"), help="where drawings and adapters go")
    parser.add_argument("--side", type=int, help="width and height of pictures, in place of the base's own")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--half", action="store_true", help="the base in bfloat16; factors stay in single precision")
    for name, of in [("", "of the denoiser"), ("text-", "of the text encoder")]:
        parser.add_argument(f"--{name}lr", type=float, help=f"learning rate {of}, of all runs")
        parser.add_argument(f"--{name}damping", type=float, help=f"damping {of}, of all runs")
    arguments = parser.parse_args()
    found = described(arguments.pictures)
    painter = Painter(arguments)
    pictures = []
    for held_out in (False, True):
        own = [(path, caption) for path, caption, is_held_out in found if is_held_out == held_out]
        latents = painter.latents([path for path, _ in own]) if own else None
        pictures.append((latents, [caption for _, caption in own]))
    base = arguments.output / "base.png"
    if not base.exists():
        painter.draw(base)
    results = []
    for run in RUNS:
        if "skipped" in run:
            print(f"{run['name']} is skipped: {run['skipped']}.")
            continue
        results.append(train(run, painter, arguments, pictures))
    (arguments.output / "losses.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
