"""An experiment of riemann-lora's page, with transformers, PEFT and Accelerate.

    pip install torch transformers accelerate "peft>=0.21"    # and pyarrow for a parquet file
    python experiment.py DATA                                 # one process
    torchrun --nproc_per_node 2 experiment.py DATA            # several, with NCCL on GPUs and gloo on CPUs
    accelerate launch --cpu --num_processes 2 experiment.py DATA

Base, rank, alpha, layers, batch, steps, schedules, clipping and optimizers are those of the page, and so are the examples
that are held out, the order of the others and the first lora_A, so that losses are the page's but for rounding. Not the
page's are what dropout leaves out, and lora_A of layers that PEFT adapts as a whole and the page in parts. Several processes
share the rows of a batch and have the losses of one.
"""

import argparse
import contextlib
import subprocess
import sys

import psutil

# TRAINING

def start_missing_processes():
    """`accelerate launch --cpu --num_processes N` starts one process and leaves the address at which N would meet."""
    sizes = ["WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE"]
    is_alone = not any(name in os.environ for name in sizes)
    if not (is_alone and "MASTER_ADDR" in os.environ and os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("true", "1")):
        return
    words = [part for word in psutil.Process().parent().cmdline() for part in word.replace("-", "_").split("=")]
    asked = dict(zip(words, words[1:]))
    count = asked.get("__num_processes", "")
    if not count.isdigit() or asked.get("__num_machines", "1") != "1":
        raise SystemExit("accelerate launch has started one process where it was told of several: start them as torchrun --nproc_per_node 2 experiment.py")
    port = ["--master_port", os.environ.get("MASTER_PORT", "29500")]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", count, *port, *sys.argv]
    raise SystemExit(subprocess.run(command).returncode)


def given_batches(path):
    batches = json.loads(path.read_text())[:STEPS]
    for number, batch in enumerate(batches, 1):
        if not counted_of(batch):
            raise SystemExit(f"{path}: batch {number} has no label that counts, and nothing can be learned from it.")
    return batches


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_shared_arguments(parser)
    parser.add_argument("--batches", type=pathlib.Path, help="JSON with a list of {ids, labels}, one a step, in place of DATA")
    parser.add_argument("--result", type=pathlib.Path, help="where to write all losses as JSON")
    arguments = parser.parse_args()
    start_missing_processes()
    accelerator = ready_accelerator()
    if arguments.batches:
        batches, held_out = given_batches(arguments.batches), []
    else:
        # One downloads, and says which rows are left out.
        with accelerator.local_main_process_first(), open(os.devnull, "w") as nowhere:
            with contextlib.redirect_stdout(sys.stdout if accelerator.is_local_main_process else nowhere):
                batches, held_out = file_batches(arguments)
    results = []
    for run in RUNS:
        if "skipped" in run:
            accelerator.print(f"{run['name']} is skipped: {run['skipped']}.")
            continue
        results.append(train(run, arguments, batches, held_out, accelerator, accelerator.print))
    if arguments.result and accelerator.is_main_process:
        arguments.result.write_text(json.dumps(results))
    accelerator.end_training()


if __name__ == "__main__":
    main()
