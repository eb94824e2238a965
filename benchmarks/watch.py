"""What the long runs on OGB's sets show and save."""

from tqdm import tqdm

import gcl


def watched(epochs, args, name, start, checkpoint=None, rank=0, **parts):
    """The numbers of the trained epochs; after each come a step of the bar, a checkpoint and a point in TensorBoard."""
    writer = None
    if args.track and rank == 0:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(args.track / name, purge_step=start + 1)
    progress = tqdm(epochs, initial=start, total=args.epochs, desc=name, unit="epoch", disable=rank > 0)
    for epoch, loss in progress:
        loss = gcl.distributed.mean_over_ranks(loss)
        progress.set_postfix(loss=f"{loss:.4f}")
        if checkpoint and rank == 0:
            gcl.train.save_checkpoint(checkpoint, epoch, **parts)
        if writer:
            writer.add_scalar("loss", loss, epoch)
            writer.flush()
        yield epoch
