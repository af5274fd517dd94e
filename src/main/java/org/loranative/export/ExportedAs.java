package org.loranative.export;

import java.nio.file.Files;
import java.nio.file.Path;
import org.loranative.io.Gguf;
import org.loranative.lora.LoraFiles;

/** What a file or folder is that was exported. */
public final class ExportedAs {
  private ExportedAs() {}

  /** Whether it is an adapter, in any format that is read; else it is a whole model. */
  public static boolean isAdapter(Path path) {
    if (Files.isDirectory(path)) {
      return Files.exists(path.resolve("adapter_config.json"));
    }
    String name = path.getFileName().toString();
    return name.endsWith(".gguf")
        ? "adapter".equals(Gguf.read(path).metadata().get("general.type"))
        : name.endsWith(".safetensors") && LoraFiles.isAdapter(path);
  }
}
