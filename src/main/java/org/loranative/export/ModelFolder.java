package org.loranative.export;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Locale;

/** What stands in a model's folder beside its weights. */
final class ModelFolder {
  private static final List<String> WEIGHTS =
      List.of(
          ".safetensors",
          ".safetensors.index.json",
          ".bin",
          ".bin.index.json",
          ".pt",
          ".pth",
          ".ckpt",
          ".gguf",
          ".onnx",
          ".onnx_data",
          ".h5",
          ".msgpack",
          ".tflite",
          ".ot");

  private ModelFolder() {}

  /** Copies all but weights, of folders within too; hidden files and folders are left out. */
  static void copyRest(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes a) {
            return !folder.equals(from) && isHidden(folder)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes a) throws IOException {
            String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
            if (!isHidden(file)
                && Files.isRegularFile(file)
                && WEIGHTS.stream().noneMatch(name::endsWith)) {
              Path copy = to.resolve(from.relativize(file).toString());
              Files.createDirectories(copy.getParent());
              Files.copy(file, copy);
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static boolean isHidden(Path file) {
    return file.getFileName().toString().startsWith(".");
  }
}
