package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.export.AdapterBase;
import org.loranative.export.Merge;
import org.loranative.export.Modelfile;
import org.loranative.io.AtomicFiles;
import org.loranative.lora.AdaptedLayer;
import org.loranative.text.AdapterTemplate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native export}. */
@Command(
    name = "export",
    aliases = "convert",
    description =
        "Write an adapter in another program's format; what it does stays. (convert is its old"
            + " name.)",
    mixinStandardHelpOptions = true)
final class ExportCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "ADAPTER",
      description =
          "A PEFT folder, a .gguf file as llama.cpp loads it, or a .safetensors file in kohya's or"
              + " diffusers' format.")
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
      paramLabel = "FORMAT",
      description =
          "Of a language model: gguf (llama.cpp, ollama), peft (PEFT, vLLM). Of a diffusion model:"
              + " kohya (A1111), comfyui, diffusers (which reads no LoHa and LoKr), peft.")
  private String to;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "PATH",
      description = "The file (of peft: folder) to write; it must not exist.")
  private Path out;

  @Option(
      names = "--modelfile",
      paramLabel = "FILE",
      description = "With --to gguf: also write an ollama Modelfile of base, adapter and template.")
  private Optional<Path> modelfile = Optional.empty();

  @Mixin private PartOptions parts;

  @Override
  public Integer call() throws IOException {
    Merge.requireNew(out);
    modelfile.ifPresent(f -> Modelfile.requireNew(f, out));
    if (modelfile.isPresent() && !to.equals("gguf")) {
      throw new UserException("--modelfile needs --to gguf, the format that ollama loads.");
    }
    AdapterBase model = Bases.open(base, parts, List.of(adapter));
    model.requireFormat(to, out);
    Map<String, AdaptedLayer> adapted = model.read(adapter);
    Optional<String> text =
        model instanceof AdapterBase.Language language
            ? modelfile.map(
                f -> Modelfile.of(language.base(), AdapterTemplate.of(adapter), Optional.of(out)))
            : Optional.empty();
    model.write(to, Optional.of(adapter), adapted, out);
    if (text.isPresent()) {
      AtomicFiles.writeString(modelfile.get(), text.get());
    }
    int layers = adapted.size();
    System.out.printf("%s: %d %s%n", out, layers, layers == 1 ? "layer" : "layers");
    return 0;
  }
}
