package org.loranative.gpucheck;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A model of full size, in diffusers' layout or a language model's folder: its configs, and the
 * names and shapes that diffusers or transformers itself gives its tensors ({@code
 * src/test/resources/shapes}).
 */
final class PublishedModel {
  private static final Path SHAPES = Path.of("src/test/resources/shapes");
  private static final Path TOKENIZER = Path.of("src/test/resources/tokenizers/smollm");
  private static final ObjectMapper JSON = new ObjectMapper();

  private PublishedModel() {}

  private static Path file(String name) {
    return SHAPES.resolve(name + ".json");
  }

  static boolean has(String name) {
    return Files.exists(file(name));
  }

  /** Writes it with what to train it on. */
  static void write(RandomModel model, String name, Path folder) throws IOException {
    JsonNode all = JSON.readTree(file(name).toFile());
    if (all.has("parts")) {
      diffusion(model, all, folder);
      DiffusionFolder.images(folder.resolve("images"), 4, 1024);
    } else {
      json(folder.resolve("config.json"), all.path("config"));
      model.tensors(folder.resolve("model.safetensors"), shapes(all));
      RandomModel.texts(folder);
    }
  }

  private static Map<String, long[]> shapes(JsonNode part) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    part.path("tensors")
        .properties()
        .forEach(
            t -> {
              long[] shape = new long[t.getValue().size()];
              for (int i = 0; i < shape.length; i++) {
                shape[i] = t.getValue().path(i).asLong();
              }
              shapes.put(t.getKey(), shape);
            });
    return shapes;
  }

  /** All parts; any tokenizer serves in the place of T5's, CLIP's is built in. */
  private static void diffusion(RandomModel model, JsonNode all, Path folder) throws IOException {
    json(folder.resolve("model_index.json"), all.path("index"));
    json(folder.resolve("scheduler/scheduler_config.json"), all.path("scheduler"));
    for (Map.Entry<String, JsonNode> part : all.path("parts").properties()) {
      Path at = folder.resolve(part.getKey());
      json(at.resolve("config.json"), part.getValue().path("config"));
      boolean text = part.getKey().startsWith("text_encoder");
      String stem = text ? "model" : "diffusion_pytorch_model";
      model.tensors(at.resolve(stem + ".safetensors"), shapes(part.getValue()));
    }
    String t5 = // the last text encoder
        Stream.of("_3", "_2", "")
            .filter(s -> all.path("parts").has("text_encoder" + s))
            .findFirst()
            .orElseThrow();
    Path tokenizer = Files.createDirectories(folder.resolve("tokenizer" + t5));
    Files.write(
        tokenizer.resolve("tokenizer.json"),
        Files.readAllBytes(TOKENIZER.resolve("tokenizer.json")));
  }

  private static void json(Path file, JsonNode node) throws IOException {
    Files.createDirectories(file.getParent());
    JSON.writeValue(file.toFile(), node);
  }
}
