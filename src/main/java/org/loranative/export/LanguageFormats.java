package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.io.AtomicFolders;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.PeftFormat;
import org.loranative.model.llm.LlmBase;
import org.loranative.text.AdapterTemplate;
import org.loranative.text.Tokenizer;

/** Formats of language models' adapters. */
public final class LanguageFormats {
  private LanguageFormats() {}

  public static List<AdapterFormat<LlmBase>> all() {
    return List.of(new Peft(), new LlamaCpp());
  }

  /** A folder that PEFT, vLLM and we load, with the tokenizer beside it. */
  private record Peft() implements AdapterFormat<LlmBase> {
    @Override
    public String name() {
      return "peft";
    }

    @Override
    public Optional<String> ending() {
      return Optional.empty();
    }

    @Override
    public void write(
        LlmBase base, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
        throws IOException {
      AtomicFolders.write(
          out,
          folder -> {
            PeftFormat.write(folder, layers, base.targetsAndOthers(), base.path().toString());
            try (Tokenizer tokenizer = base.tokenizer()) {
              source.flatMap(AdapterTemplate::of).ifPresent(t -> t.give(tokenizer));
              base.writeTokenizer(tokenizer, folder);
            }
          });
    }
  }

  /** A file for llama.cpp's {@code --lora} and ollama's {@code ADAPTER}. */
  private record LlamaCpp() implements AdapterFormat<LlmBase> {
    @Override
    public String name() {
      return "gguf";
    }

    @Override
    public Optional<String> ending() {
      return Optional.of(".gguf");
    }

    @Override
    public void write(
        LlmBase base, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
        throws IOException {
      GgufAdapter.write(base, layers, out);
    }
  }
}
