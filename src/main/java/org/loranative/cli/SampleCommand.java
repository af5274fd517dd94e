package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.loranative.Decimals;
import org.loranative.UserException;
import org.loranative.diffusion.Prediction;
import org.loranative.diffusion.Sampler;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.train.diffusion.Pictures;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native sample}. */
@Command(
    name = "sample",
    description = "Draw an image from a prompt with a diffusion model.",
    mixinStandardHelpOptions = true)
final class SampleCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description =
          "A diffusion model: a folder in diffusers' layout, or a .safetensors or .gguf file.")
  private Path base;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      description = "Tokenizers that are neither with the base nor CLIP's own, which is built in.")
  private Optional<Path> tokenizer = Optional.empty();

  @Mixin private PartOptions parts;

  @Option(
      names = "--prediction-type",
      paramLabel = "TYPE",
      description = "What the base predicts, where it does not say: epsilon or v_prediction.")
  private Optional<String> predictionType = Optional.empty();

  @Option(
      names = "--zero-snr",
      description = "Draw from pure noise, as a run with zero_snr: true has learnt.")
  private boolean zeroSnr;

  @Mixin private AdapterOptions adapters;

  @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "What to draw.")
  private String prompt;

  @Option(
      names = "--negative",
      defaultValue = "",
      paramLabel = "TEXT",
      description = "What to lead away from.")
  private String negative;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The PNG to write.")
  private Path out;

  @Option(
      names = "--size",
      paramLabel = "WxH",
      description = "Pixels (default: of --latents, else what the base was made for).")
  private Optional<String> size = Optional.empty();

  @Option(
      names = "--sampler",
      description =
          "Stable Diffusion 1, 2 and XL: ddim (default), euler, euler_a, dpmpp_2m, dpmpp_2m_karras;"
              + " models of flow matching: euler (default), heun.")
  private Optional<String> sampler = Optional.empty();

  @Option(names = "--steps", description = "Default: what suits the base, such as 25.")
  private Optional<Integer> steps = Optional.empty();

  @Option(
      names = "--guidance",
      description =
          "How far to follow the prompt (default: what suits the base, such as 7); 1: not guided.")
  private Optional<Double> guidance = Optional.empty();

  @Option(
      names = "--clip-skip",
      defaultValue = "0",
      description = "Last text layers left out; A1111's and ComfyUI's clip skip 2 is 1 here.")
  private int clipSkip;

  @Option(names = "--seed", defaultValue = "1", description = "Seed of the noise (default 1).")
  private long seed;

  @Option(
      names = "--latents",
      paramLabel = "FILE",
      description = "Start from the tensor \"latents\" [1, C, h, w] of a safetensors file.")
  private Optional<Path> latents = Optional.empty();

  @Mixin private MachineOptions machine;

  @Override
  public Integer call() throws IOException {
    if (!size.orElse("1x1").matches("[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")) {
      throw new UserException("--size is " + size.get() + ", but must be like 512x768.");
    }
    if (predictionType.isPresent() && Prediction.named(predictionType.get()).isEmpty()) {
      throw new UserException(
          "--prediction-type is "
              + predictionType.get()
              + ", but must be epsilon or v_prediction.");
    }
    if (steps.orElse(1) < 1 || steps.orElse(1) > 999) {
      throw new UserException("--steps is " + steps.get() + ", but must be between 1 and 999.");
    }
    if (clipSkip < 0) {
      throw new UserException("--clip-skip is " + clipSkip + ", but must be at least 0.");
    }
    double led = guidance.orElse(1.0);
    if (!(led >= 0 && Double.isFinite(led))) {
      throw new UserException(
          "--guidance is "
              + Decimals.plain(led)
              + ", but must be a number of at least 0, such as 7 (1: not guided).");
    }
    Path folder = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new UserException("--out: the folder " + folder + " does not exist.");
    }
    Bases.require(base, "a folder in diffusers' layout or a .safetensors file");
    DiffusionBase model =
        DiffusionFamilies.open(
            base,
            parts.options(tokenizer).withPrediction(predictionType.flatMap(Prediction::named)));
    if (zeroSnr) {
      model.zeroTerminal("--zero-snr");
    }
    model.requireClipSkip(clipSkip, "--clip-skip");
    model.requireGuidance(negative, guidance.isPresent());
    DiffusionFamily.Habit habit = model.family().drawing();
    Sampler chosen = model.sampler(sampler.orElse(habit.sampler()), "--sampler");
    try (Pictures pictures = new Pictures(model, adapters.sources(), machine.machine())) {
      List<Integer> sides =
          size.map(s -> Stream.of(s.split("x")).map(Integer::valueOf).toList())
              .orElseGet(() -> pictures.size(latents));
      Painter.Order order =
          new Painter.Order(
              prompt,
              negative,
              sides.get(0),
              sides.get(1),
              chosen,
              steps.orElse(habit.steps()),
              guidance.orElse(habit.guidance()),
              seed,
              clipSkip);
      pictures.draw(order, latents).writePng(out);
    }
    System.out.println(out);
    return 0;
  }
}
