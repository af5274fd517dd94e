package org.loranative.train.diffusion;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the VAE and the text encoders made, on disk: one safetensors file for each image and
 * caption, named by the hash of everything it depends on. A changed image has another name.
 */
final class EncodingCache {
  private static final Logger log = LoggerFactory.getLogger(EncodingCache.class);

  private final Optional<Path> folder;
  private boolean warned;

  /**
   * @param folder none: nothing is kept
   */
  EncodingCache(Optional<Path> folder) {
    this.folder = folder;
  }

  /** The name for all that an entry depends on. */
  static String key(Object... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Object part : parts) {
        byte[] bytes = String.valueOf(part).getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(4).putInt(bytes.length).flip());
        digest.update(bytes);
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether there is an entry, be it damaged. */
  boolean has(String key) {
    return folder.map(f -> f.resolve(key + ".safetensors")).filter(Files::exists).isPresent();
  }

  /** The entry's tensors, if it is there and whole. */
  Optional<Map<String, float[]>> find(String key) {
    Optional<Path> file = folder.map(f -> f.resolve(key + ".safetensors"));
    if (file.filter(Files::exists).isEmpty()) {
      return Optional.empty();
    }
    try {
      Map<String, float[]> tensors = new LinkedHashMap<>();
      for (TensorEntry e : Safetensors.read(file.get()).tensors().values()) {
        tensors.put(e.name(), Safetensors.floats(e));
      }
      return Optional.of(tensors);
    } catch (UserException e) {
      log.warn("{} is damaged and made anew: {}", file.get(), e.getMessage());
      return Optional.empty();
    }
  }

  /** Keeps an entry; a folder that cannot be written costs only the next run's time. */
  void put(String key, Map<String, float[]> values) {
    if (folder.isEmpty()) {
      return;
    }
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    values.forEach(
        (name, x) -> {
          ByteBuffer data = ByteBuffer.allocate(x.length * 4).order(ByteOrder.LITTLE_ENDIAN);
          data.asFloatBuffer().put(x);
          tensors.add(new Safetensors.Tensor(name, DType.F32, List.of((long) x.length), data));
        });
    try {
      Files.createDirectories(folder.get());
      Safetensors.write(folder.get().resolve(key + ".safetensors"), tensors, Map.of());
    } catch (IOException e) {
      if (!warned) {
        log.warn("{} cannot be written ({}): the next run encodes again.", folder.get(), e);
        warned = true;
      }
    }
  }
}
