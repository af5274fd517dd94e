package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.LoraFiles;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native convert}. */
@Command(
    name = "convert",
    description =
        "Turn an adapter of a diffusion model into another tool's format; what it does stays.",
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "ADAPTER",
      description = "A file in kohya's or diffusers' format, or a PEFT folder.")
  private Path adapter;

  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "The base model, whose layers give the names.")
  private Path base;

  @Option(
      names = "--to",
      required = true,
      description = "kohya or diffusers (which reads no LoHa and LoKr).")
  private String to;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "The .safetensors file to write; it must not exist.")
  private Path out;

  @Override
  public Integer call() throws IOException {
    if (!to.equals("kohya") && !to.equals("diffusers")) {
      throw new UserException("--to is " + to + ", but must be kohya or diffusers.");
    }
    if (Files.exists(out)) {
      throw new UserException(out + " exists already; name another file with --out.");
    }
    DiffusionBase model = DiffusionFamilies.open(base);
    Map<String, AdaptedLayer> modules = LoraFiles.read(adapter, model.layers());
    LoraFiles.write(
        out,
        LoraFiles.Format.valueOf(to.toUpperCase(Locale.ROOT)),
        modules,
        model.family().names(),
        LoraFiles.metadata(adapter));
    System.out.printf("%s: %d layers%n", out, modules.size());
    return 0;
  }
}
