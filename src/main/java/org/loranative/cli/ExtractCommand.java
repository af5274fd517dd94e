package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.export.AdapterBase;
import org.loranative.export.Extraction;
import org.loranative.lora.RankRule;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.train.StopSignal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native extract}. */
@Command(
    name = "extract",
    description =
        "Write the difference of two diffusion models as an adapter: of each layer the largest"
            + " singular values.",
    mixinStandardHelpOptions = true)
final class ExtractCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "The model that the other was made of: diffusers' folder or a single file.")
  private Path base;

  @Option(
      names = "--tuned",
      required = true,
      paramLabel = "PATH",
      description = "The model that the adapter is to lead to, likewise.")
  private Path tuned;

  @Option(
      names = "--text-encoder",
      description = "Adapt the layers of text encoders, too, not the denoiser's alone.")
  private boolean textEncoder;

  @Mixin private RankOptions ranks;

  @Mixin private AdapterOutput out;

  @Mixin private PartOptions parts;

  @Override
  public Integer call() throws IOException {
    RankRule rule = ranks.required();
    if (!rule.isLocal()) {
      throw new UserException(
          "--sv-cumulative needs every singular value, which extract does not compute; --sv-fro and"
              + " --sv-ratio do without.");
    }
    if (!Bases.isDiffusion(base) || !Bases.isDiffusion(tuned)) {
      throw new UserException("extract takes two diffusion models, as --base and --tuned.");
    }
    AdapterBase.Diffusion model =
        new AdapterBase.Diffusion(DiffusionFamilies.open(base, parts.options()));
    out.check(model);
    StopSignal.onSignals();
    DiffusionBase other = DiffusionFamilies.open(tuned, parts.options());
    int most = ranks.most().orElse(RankOptions.MOST);
    Extraction extraction =
        AdapterOutput.before(() -> Extraction.of(model.base(), other, textEncoder, rule, most));
    System.out.print(extraction.describe());
    out.write(model, Optional.empty(), extraction.part().layers());
    return 0;
  }
}
