package org.loranative.export;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.loranative.io.JsonFile;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorStream;

/** Safetensors in shards, with the index that transformers and diffusers look for. */
final class ShardedFile {
  private static final Map<String, String> METADATA = Map.of("format", "pt");

  private ShardedFile() {}

  /**
   * @param stem {@code model}, {@code diffusion_pytorch_model}
   * @param most bytes of a shard; a larger tensor has one of its own
   */
  static void write(Path folder, String stem, List<TensorStream> tensors, long most)
      throws IOException {
    List<List<TensorStream>> shards = new ArrayList<>();
    long bytes = Long.MAX_VALUE;
    long total = 0;
    for (TensorStream t : tensors) {
      if (shards.isEmpty() || bytes + t.bytes() > most) {
        shards.add(new ArrayList<>());
        bytes = 0;
      }
      shards.get(shards.size() - 1).add(t);
      bytes += t.bytes();
      total += t.bytes();
    }
    if (shards.size() < 2) {
      Safetensors.stream(folder.resolve(stem + ".safetensors"), tensors, METADATA);
      return;
    }
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index.putObject("metadata").put("total_size", total);
    ObjectNode map = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String name = String.format("%s-%05d-of-%05d.safetensors", stem, i + 1, shards.size());
      shards.get(i).forEach(t -> map.put(t.name(), name));
      Safetensors.stream(folder.resolve(name), shards.get(i), METADATA);
    }
    JsonFile.write(folder.resolve(stem + ".safetensors.index.json"), index);
  }
}
