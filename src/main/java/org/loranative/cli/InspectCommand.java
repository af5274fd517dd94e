package org.loranative.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.io.Gguf;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code lora-native inspect}. */
@Command(
    name = "inspect",
    description = "Show what a model or adapter file holds: tensors, dtypes, metadata.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  private static final int SHOWN = 100;

  @Parameters(
      paramLabel = "FILE",
      description = "A .safetensors or .gguf file, or a folder (model or adapter).")
  private Path file;

  @Override
  public Integer call() {
    TensorFile content = read();
    content.metadata().forEach((k, v) -> System.out.printf("%s = %s%n", k, shorten(v)));
    long bytes = 0;
    long elements = 0;
    Map<String, Integer> types = new TreeMap<>();
    for (TensorEntry t : content.tensors().values()) {
      System.out.printf("%-72s %-6s %s%n", t.name(), t.type(), t.shape());
      bytes += t.bytes();
      elements += t.elements();
      types.merge(t.type(), 1, Integer::sum);
    }
    System.out.printf(
        "%d %s, %d elements, %d bytes, by type %s%n",
        content.tensors().size(),
        content.tensors().size() == 1 ? "tensor" : "tensors",
        elements,
        bytes,
        types);
    return 0;
  }

  private TensorFile read() {
    if (Files.isDirectory(file)) {
      boolean adapter = Files.exists(file.resolve("adapter_model.safetensors"));
      return Safetensors.readFolder(file, adapter ? "adapter_model" : "model");
    }
    if (!Files.exists(file)) {
      throw new UserException(file + " does not exist.");
    }
    String name = file.getFileName().toString();
    if (name.endsWith(".gguf")) {
      return Gguf.read(file);
    }
    if (name.endsWith(".safetensors")) {
      return Safetensors.read(file);
    }
    throw new UserException(file + " has an unknown ending; .safetensors and .gguf can be shown.");
  }

  private static String shorten(Object value) {
    if (value instanceof List<?> list && list.size() > 8) {
      return list.subList(0, 8) + " … " + list.size() + " in all";
    }
    String text = String.valueOf(value).replace("\n", "\\n");
    return text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
  }
}
