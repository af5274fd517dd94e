package org.loranative.testing;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.loranative.io.AtomicFiles;
import org.loranative.io.AtomicFolders;
import org.loranative.io.Numbers;
import org.loranative.lora.Adapters;
import org.loranative.train.Task;

/** A task without a model, which can only be exported: an adapter of two files. */
public final class SumTask {
  public static final String FILE = "adapter_model.safetensors";
  public static final String SECOND = "adapter_config.json";

  /** Bytes of each file. */
  public static final int SIZE = 4096;

  private SumTask() {}

  /** Knows {@code export} and {@code finish}; its records have no items. */
  @SuppressWarnings("unchecked")
  public static Task<Integer> of(Adapters adapters) {
    return (Task<Integer>)
        Proxy.newProxyInstance(
            Task.class.getClassLoader(),
            new Class<?>[] {Task.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "export" -> export(adapters, (Path) arguments[0], (Numbers) arguments[1]);
                  case "finish" -> finish(adapters, (Path) arguments[0], (Numbers) arguments[1]);
                  case "measureEvery" -> 1;
                  case "item" -> Optional.empty();
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private static Path export(Adapters adapters, Path folder, Numbers params) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(SIZE);
    bytes.asFloatBuffer().put(params.all(), 0, Math.toIntExact(adapters.floats()));
    AtomicFiles.write(folder.resolve(FILE), out -> out.write(bytes.array()));
    AtomicFiles.write(folder.resolve(SECOND), out -> out.write(bytes.array()));
    return folder;
  }

  private static Path finish(Adapters adapters, Path outputDir, Numbers params) throws IOException {
    Path folder = outputDir.resolve("adapter");
    AtomicFolders.write(folder, partial -> export(adapters, partial, params));
    return folder;
  }
}
