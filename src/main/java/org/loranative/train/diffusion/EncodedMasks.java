package org.loranative.train.diffusion;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.data.sd.Mask;
import org.loranative.data.sd.PreparedImage;
import org.loranative.track.Phase;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The masks of images, at the size of their latents; kept on disk as these are. */
final class EncodedMasks {
  private static final Logger log = LoggerFactory.getLogger(EncodedMasks.class);

  private final EncodingCache cache;
  private final int factor;
  private final Map<PreparedImage, List<float[]>> shares = new HashMap<>();

  /**
   * @param factor pixels of a latent's side
   */
  EncodedMasks(EncodingCache cache, int factor) {
    this.cache = cache;
    this.factor = factor;
  }

  /** Reads the masks of those images that have one. */
  void encode(List<PreparedImage> images) {
    List<PreparedImage> masked = images.stream().filter(i -> i.mask().isPresent()).toList();
    Phase phase = new Phase("masks read", masked.size());
    for (PreparedImage image : masked) {
      phase.next();
      List<float[]> own = shares(image, image.mask().orElseThrow());
      shares.put(image, own);
      if (isBlack(own)) {
        log.warn(
            "{} is black all over: nothing of its image is learnt.",
            image.mask().orElseThrow().file());
      }
    }
    phase.end();
  }

  private static boolean isBlack(List<float[]> shares) {
    for (float[] crop : shares) {
      for (float share : crop) {
        if (share > 0) {
          return false;
        }
      }
    }
    return true;
  }

  private List<float[]> shares(PreparedImage image, Mask mask) {
    String key = EncodingCache.key("mask", mask.sha256(), mask.opacity(), image.crops(), factor);
    Map<String, float[]> known = cache.find(key).orElse(Map.of());
    List<float[]> all = new ArrayList<>();
    if (known.isEmpty()) {
      all.addAll(mask.shares(image.crops(), factor));
      Map<String, float[]> made = new LinkedHashMap<>();
      all.forEach(x -> made.put(name(made.size()), x));
      cache.put(key, made);
    }
    for (int i = 0; i < known.size(); i++) {
      all.add(known.get(name(i)));
    }
    return all;
  }

  private static String name(int crop) {
    return "mask." + crop;
  }

  /** The share of each place of a crop that is learnt; empty where all of it is. */
  float[] of(PreparedImage image, int crop) {
    List<float[]> own = shares.get(image);
    return own == null ? new float[0] : own.get(crop);
  }
}
