package org.loranative.export;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.PeftFormat;
import org.loranative.model.llm.LlmBase;

/** Adapters of language models as they lie on disk. */
public final class LanguageAdapters {
  private LanguageAdapters() {}

  /**
   * Reads one, by path.
   *
   * @param adapter a PEFT folder, or a GGUF file as llama.cpp loads it
   */
  public static Map<String, AdaptedLayer> read(Path adapter, LlmBase base) {
    if (!Files.exists(adapter)) {
      throw new UserException("The adapter " + adapter + " does not exist.");
    }
    return adapter.getFileName().toString().endsWith(".gguf")
        ? GgufAdapter.read(adapter, base)
        : PeftFormat.read(adapter, base.adaptable());
  }
}
