package org.loranative.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.loranative.Counted;
import org.loranative.ShellWord;
import org.loranative.UserException;
import org.loranative.io.Gguf;
import org.loranative.io.JsonFile;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.DiffusersFolder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code lora-native inspect}. */
@Command(
    name = "inspect",
    description = "Show what a model or adapter file holds: tensors, dtypes, metadata.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  private static final int SHOWN = 100;
  private static final List<String> STEMS =
      List.of("adapter_model", "model", "diffusion_pytorch_model");

  @Parameters(
      paramLabel = "FILE",
      description =
          "A .safetensors or .gguf file, or a folder: a model, an adapter, or a diffusion model,"
              + " whose parts are listed.")
  private Path file;

  @Override
  public Integer call() {
    if (Files.exists(file.resolve(DiffusersFolder.INDEX))) {
      System.out.print(parts(DiffusersFolder.of(file)));
      return 0;
    }
    TensorFile content = read();
    content.metadata().forEach((k, v) -> System.out.printf("%s = %s%n", k, shorten(v)));
    content
        .tensors()
        .values()
        .forEach(t -> System.out.printf("%-72s %-6s %s%n", t.name(), t.type(), t.shape()));
    System.out.println(sum(content));
    return 0;
  }

  private static String sum(TensorFile content) {
    long bytes = 0;
    long elements = 0;
    Map<String, Integer> types = new TreeMap<>();
    for (TensorEntry t : content.tensors().values()) {
      bytes += t.bytes();
      elements += t.elements();
      types.merge(t.type(), 1, Integer::sum);
    }
    return String.format(
        "%s, %d elements, %d bytes, by type %s",
        Counted.of(content.tensors().size(), "tensor"), elements, bytes, types);
  }

  /** A line for each folder of a diffusion model, and how to see its tensors. */
  private static String parts(DiffusersFolder model) {
    StringBuilder lines =
        new StringBuilder(String.format("%s, a folder of diffusers%n", model.pipeline()));
    Optional<Path> example = Optional.empty();
    JsonNode classes = JsonFile.read(model.folder().resolve(DiffusersFolder.INDEX));
    for (Path part : within(model.folder()).stream().filter(Files::isDirectory).toList()) {
      Optional<String> stem = stem(part);
      lines.append(
          String.format(
              "  %-16s %-32s %s%n",
              part.getFileName(),
              classes.path(part.getFileName().toString()).path(1).asText(),
              stem.map(s -> sum(Safetensors.readFolder(part, s))).orElse("no tensors")));
      example = example.or(() -> stem.map(s -> part));
    }
    example.ifPresent(
        part ->
            lines.append(
                String.format("The tensors of one: lora-native inspect %s%n", ShellWord.of(part))));
    return lines.toString();
  }

  /** What the files are called that hold a folder's tensors. */
  private static Optional<String> stem(Path folder) {
    return STEMS.stream()
        .filter(s -> within(folder).stream().anyMatch(f -> isOf(s, f)))
        .findFirst();
  }

  private static List<Path> within(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      return all.sorted().toList();
    } catch (IOException e) {
      throw new UserException(folder + " cannot be read: " + UserException.reason(e) + ".", e);
    }
  }

  private static boolean isOf(String stem, Path file) {
    String name = file.getFileName().toString();
    return name.startsWith(stem + ".") && name.contains(".safetensors");
  }

  private TensorFile read() {
    if (Files.isDirectory(file)) {
      return Safetensors.readFolder(file, stem(file).orElse("model"));
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
