package org.loranative.label;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.loranative.UserException;
import org.loranative.data.sd.Captioned;
import org.loranative.io.AtomicFiles;

/** Captions for a folder of images, written into its metadata.csv. */
public final class Labelling {
  private static final CSVFormat FORMAT =
      CSVFormat.DEFAULT.builder().setHeader("filename", "prompt").setRecordSeparator("\n").get();

  /** What lies beside the jar as onnxruntime.jar, by its name in Maven. */
  public static final String RUNTIME = "com.microsoft.onnxruntime:onnxruntime:1.24.1";

  private Labelling() {}

  /** Without ONNX Runtime no class that uses it can be loaded. */
  private static void requireRuntime() {
    try {
      Class.forName("ai.onnxruntime.OrtEnvironment");
    } catch (ClassNotFoundException e) {
      throw new UserException(
          "label needs ONNX Runtime, which is no part of lora-native: fetch it with mvn"
              + " dependency:copy -Dartifact="
              + RUNTIME
              + " -DoutputDirectory=. and put it beside lora-native.jar under the name"
              + " onnxruntime.jar.",
          e);
    }
  }

  /** A tagger of WD14's kind. */
  public static Labeller tagger(
      Path model, Path tags, double threshold, double characterThreshold) {
    requireRuntime();
    return new Tagger(model, tags, threshold, characterThreshold);
  }

  /** A captioner of GIT's kind. */
  public static Labeller captioner(Path model, Path tokenizer, int mostTokens) {
    requireRuntime();
    return new Captioner(model, tokenizer, mostTokens);
  }

  /**
   * Labels what has no caption; what has one keeps it, wherever it stood, unless {@code force}.
   *
   * @param prefix put before each new caption, "" for none
   * @param made told of each new caption
   * @return how many were made
   */
  public static int label(
      Path folder, Labeller labeller, String prefix, boolean force, BiConsumer<Path, String> made)
      throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new UserException(folder + " is no folder of images.");
    }
    Captioned.Found found = Captioned.read(folder);
    Map<Path, String> captions = new LinkedHashMap<>();
    found.images().forEach(i -> captions.put(i.file(), i.caption()));
    found.withoutCaption().forEach(file -> captions.put(file.toAbsolutePath(), ""));
    if (captions.isEmpty()) {
      throw new UserException(folder + " holds no image.");
    }
    int count = 0;
    for (Map.Entry<Path, String> entry : captions.entrySet()) {
      if (force || entry.getValue().isBlank()) {
        String caption = labeller.caption(entry.getKey());
        entry.setValue(
            prefix.isEmpty() || caption.isEmpty() ? prefix + caption : prefix + ", " + caption);
        made.accept(entry.getKey(), entry.getValue());
        count++;
      }
    }
    if (count > 0) {
      write(folder.toAbsolutePath().normalize(), captions);
    }
    return count;
  }

  private static void write(Path folder, Map<Path, String> captions) throws IOException {
    StringWriter text = new StringWriter();
    try (CSVPrinter printer = new CSVPrinter(text, FORMAT)) {
      for (Map.Entry<Path, String> entry : captions.entrySet()) {
        Path name = folder.relativize(entry.getKey().toAbsolutePath().normalize());
        printer.printRecord(name.toString().replace('\\', '/'), entry.getValue());
      }
    }
    AtomicFiles.writeString(folder.resolve("metadata.csv"), text.toString());
  }
}
