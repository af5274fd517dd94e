package org.loranative.label;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;

/** A model in ONNX's format. */
final class OnnxModel implements AutoCloseable {
  private final Path file;
  private final OrtSession session;

  /**
   * @throws UserException if the file is no model
   */
  static OnnxModel open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new UserException("The model " + file + " does not exist.");
    }
    try {
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      return new OnnxModel(file, environment.createSession(file.toString()));
    } catch (OrtException e) {
      throw new UserException(file + " cannot be opened: " + e.getMessage(), e);
    }
  }

  private OnnxModel(Path file, OrtSession session) {
    this.file = file;
    this.session = session;
  }

  Path file() {
    return file;
  }

  /** Shape of an input, −1 for what is free. */
  long[] shape(String input) {
    try {
      if (!session.getInputInfo().containsKey(input)) {
        throw new UserException(
            file + " has no input " + input + ", but " + session.getInputNames() + ".");
      }
      return ((TensorInfo) session.getInputInfo().get(input).getInfo()).getShape();
    } catch (OrtException e) {
      throw failed(e);
    }
  }

  /** The only input's name. */
  String input() {
    if (session.getNumInputs() != 1) {
      throw new UserException(
          file + " has the inputs " + session.getInputNames() + "; a tagger has one, an image.");
    }
    return session.getInputNames().iterator().next();
  }

  /** Runs the model; gives its first output [.., n] flat. */
  float[] run(Map<String, OnnxTensor> inputs) {
    try (OrtSession.Result result = session.run(inputs)) {
      if (!(result.get(0) instanceof OnnxTensor tensor) || tensor.getFloatBuffer() == null) {
        throw new UserException(file + " gives no f32 numbers.");
      }
      float[] values = new float[tensor.getFloatBuffer().remaining()];
      tensor.getFloatBuffer().get(values);
      return values;
    } catch (OrtException e) {
      throw failed(e);
    } finally {
      List<OnnxTensor> all = new ArrayList<>(inputs.values());
      all.forEach(OnnxTensor::close);
    }
  }

  UserException failed(OrtException e) {
    return new UserException(file + " cannot be run: " + e.getMessage(), e);
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw failed(e);
    }
  }
}
