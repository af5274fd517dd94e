package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.StoppedException;
import org.loranative.UserException;
import org.loranative.data.TextFile;
import org.loranative.export.AdapterSource;
import org.loranative.export.DiffusionMerge;
import org.loranative.export.LanguageMerge;
import org.loranative.export.Merge;
import org.loranative.export.Modelfile;
import org.loranative.io.AtomicFiles;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.llm.LlmBase;
import org.loranative.train.StopSignal;
import org.loranative.train.llm.Answers;
import org.loranative.train.verification.LanguageVerification;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native merge}. */
@Command(
    name = "merge",
    description = "Write a base model with adapters merged into its weights.",
    mixinStandardHelpOptions = true)
final class MergeCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "The base: a Hugging Face folder, a GGUF file, or a Stable Diffusion model.")
  private Path base;

  @Mixin private AdapterOptions adapters;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "PATH",
      description =
          "What to write: a folder, a .gguf file, or the .safetensors file of a Stable Diffusion"
              + " model. It must not exist.")
  private Path out;

  @Option(
      names = "--type",
      defaultValue = "source",
      description =
          "Of the weights: f32, f16, bf16, q8_0 (GGUF), or source (default): each tensor's own.")
  private String type;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description =
          "Of language models: text on which to say what the merge lost (its first 1024 tokens).")
  private Optional<Path> text = Optional.empty();

  @Option(
      names = "--modelfile",
      paramLabel = "FILE",
      description = "Of a .gguf: also write an ollama Modelfile of it, with its template.")
  private Optional<Path> modelfile = Optional.empty();

  @Mixin private MachineOptions machine;

  @Mixin private PartOptions parts;

  @Override
  public Integer call() throws IOException {
    List<AdapterSource> sources = adapters.sources();
    if (sources.isEmpty()) {
      throw new UserException("Nothing to merge; name at least one --adapter.");
    }
    if (text.isPresent() && Bases.isDiffusion(base)) {
      throw new UserException("--text is for language models; compare pictures with verify.");
    }
    boolean gguf = out.getFileName().toString().endsWith(".gguf");
    if (modelfile.isPresent() && !gguf) {
      throw new UserException("--modelfile needs an --out that ends in .gguf, which ollama loads.");
    }
    modelfile.ifPresent(f -> Modelfile.requireNew(f, out));
    String passage = text.map(f -> TextFile.read(f, TextFile.Encoding.UTF_8)).orElse("");
    if (text.isPresent() && passage.isBlank()) {
      throw new UserException(text.get() + " holds no text.");
    }
    StopSignal.onSignals();
    try {
      open(sources).write(out, type);
    } catch (StoppedException e) {
      throw new StoppedException("Stopped; nothing was written.");
    }
    System.out.println(out);
    if (modelfile.isPresent()) {
      AtomicFiles.writeString(
          modelfile.get(), Modelfile.of(LlmBase.open(out), Optional.empty(), Optional.empty()));
      System.out.println(modelfile.get());
    }
    if (text.isPresent()) {
      System.out.print(
          new LanguageVerification(List.of(), passage, 1)
              .compare(
                  () -> new Answers(base, sources, machine.machine()),
                  () -> new Answers(out, List.of(), machine.machine()))
              .describe());
    }
    return 0;
  }

  private Merge open(List<AdapterSource> sources) {
    return Bases.isDiffusion(base)
        ? new DiffusionMerge(DiffusionFamilies.open(base, parts.options()), sources)
        : new LanguageMerge(
            LlmBase.open(base, sources.stream().map(AdapterSource::path).toList()), sources);
  }
}
