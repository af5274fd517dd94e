package org.loranative.cli;

import java.util.List;
import org.loranative.UserException;
import org.loranative.config.DeviceName;
import org.loranative.model.weights.Quantize;
import org.loranative.train.machine.Machine;
import picocli.CommandLine.Option;

/** Where and in what a command computes. */
final class MachineOptions {
  private static final List<String> DTYPES = List.of("f32", "bf16", "f16");

  @Option(
      names = "--compute-dtype",
      defaultValue = "f32",
      description = "f32 (default), bf16; f16 on cards.")
  private String compute;

  @Option(
      names = "--device",
      defaultValue = "auto",
      description = "auto (default), cpu, cuda, cuda:N, cuda-emu.")
  private String device;

  @Option(names = "--threads", defaultValue = "0", description = "Default: physical cores.")
  private int threads;

  @Option(
      names = "--quantize",
      defaultValue = "none",
      description = "Hold frozen matrices in 4 bits (nf4) or as the file has them (keep).")
  private String quantize;

  Machine machine() {
    if (!DTYPES.contains(compute)) {
      throw new UserException("--compute-dtype is " + compute + ", but must be f32, bf16 or f16.");
    }
    if (!DeviceName.isKnown(device)) {
      throw new UserException(
          "--device is " + device + ", but must be " + DeviceName.CHOICES + ".");
    }
    if (!List.of("none", "nf4", "keep").contains(quantize)) {
      throw new UserException("--quantize is " + quantize + ", but must be none, nf4 or keep.");
    }
    return new Machine(device, compute, threads, Quantize.named(quantize));
  }
}
