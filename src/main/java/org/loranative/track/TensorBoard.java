package org.loranative.track;

import com.google.protobuf.ByteString;
import com.google.protobuf.Value;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.loranative.track.proto.DataClass;
import org.loranative.track.proto.Experiment;
import org.loranative.track.proto.HParamInfo;
import org.loranative.track.proto.HParamsPluginData;
import org.loranative.track.proto.MetricInfo;
import org.loranative.track.proto.MetricName;
import org.loranative.track.proto.SessionEndInfo;
import org.loranative.track.proto.SessionLog;
import org.loranative.track.proto.SessionStartInfo;
import org.loranative.track.proto.Summary;
import org.loranative.track.proto.SummaryMetadata;
import org.loranative.track.proto.TensorProto;
import org.loranative.track.proto.TensorShapeProto;

/** A run as TensorBoard shows it: scalars, texts, hyperparameters, all in one event file. */
public final class TensorBoard implements AutoCloseable {
  private static final int DT_STRING = 7;

  private final EventWriter writer;

  /**
   * @param firstStep the first step this process will write; what an earlier process wrote from
   *     there on is dropped by readers (SessionLog START)
   */
  public TensorBoard(Path folder, long firstStep) throws IOException {
    writer = new EventWriter(folder);
    if (firstStep > 1) {
      restart(firstStep);
    }
  }

  /** From this step on everything is written again: readers drop what they have. */
  public void restart(long firstStep) {
    writer.write(
        EventWriter.event(firstStep)
            .setSessionLog(SessionLog.newBuilder().setStatus(SessionLog.SessionStatus.START))
            .build());
  }

  /** One point of each curve. */
  public void scalars(long step, Map<String, Double> values) {
    Summary.Builder summary = Summary.newBuilder();
    values.forEach(
        (tag, v) ->
            summary.addValue(
                Summary.Value.newBuilder().setTag(tag).setSimpleValue(v.floatValue())));
    writer.write(EventWriter.event(step).setSummary(summary).build());
  }

  /** A text, shown as Markdown. */
  public void text(long step, String tag, String markdown) {
    TensorProto tensor =
        TensorProto.newBuilder()
            .setDtype(DT_STRING)
            .setTensorShape(
                TensorShapeProto.newBuilder().addDim(TensorShapeProto.Dim.newBuilder().setSize(1)))
            .addStringVal(ByteString.copyFromUtf8(markdown))
            .build();
    summary(
        step,
        Summary.Value.newBuilder()
            .setTag(tag + "/text_summary")
            .setMetadata(plugin("text", ByteString.EMPTY))
            .setTensor(tensor));
  }

  /** An image. */
  public void image(long step, String tag, byte[] png, int width, int height) {
    summary(
        step,
        Summary.Value.newBuilder()
            .setTag(tag)
            .setImage(
                Summary.Image.newBuilder()
                    .setHeight(height)
                    .setWidth(width)
                    .setColorspace(3)
                    .setEncodedImageString(ByteString.copyFrom(png))));
  }

  /** The hyperparameters tab: what was set, and which scalars count as results. */
  public void hyperparameters(Map<String, Object> settings, List<String> metrics) {
    Experiment.Builder experiment = Experiment.newBuilder();
    SessionStartInfo.Builder start =
        SessionStartInfo.newBuilder().setStartTimeSecs(System.currentTimeMillis() / 1e3);
    settings.forEach(
        (name, v) -> {
          HParamInfo.Builder info = HParamInfo.newBuilder().setName(name);
          Value.Builder value = Value.newBuilder();
          if (v instanceof Number n) {
            info.setType(HParamInfo.DataType.DATA_TYPE_FLOAT64);
            value.setNumberValue(n.doubleValue());
          } else if (v instanceof Boolean b) {
            info.setType(HParamInfo.DataType.DATA_TYPE_BOOL);
            value.setBoolValue(b);
          } else {
            info.setType(HParamInfo.DataType.DATA_TYPE_STRING);
            value.setStringValue(String.valueOf(v));
          }
          experiment.addHparamInfos(info);
          start.putHparams(name, value.build());
        });
    for (String tag : metrics) {
      experiment.addMetricInfos(
          MetricInfo.newBuilder().setName(MetricName.newBuilder().setTag(tag)));
    }
    hparams("_hparams_/experiment", HParamsPluginData.newBuilder().setExperiment(experiment));
    hparams(
        "_hparams_/session_start_info", HParamsPluginData.newBuilder().setSessionStartInfo(start));
  }

  /** Marks the session as ended. */
  public void end(boolean success) {
    hparams(
        "_hparams_/session_end_info",
        HParamsPluginData.newBuilder()
            .setSessionEndInfo(
                SessionEndInfo.newBuilder()
                    .setStatus(
                        success
                            ? SessionEndInfo.Status.STATUS_SUCCESS
                            : SessionEndInfo.Status.STATUS_FAILURE)
                    .setEndTimeSecs(System.currentTimeMillis() / 1e3)));
  }

  private void hparams(String tag, HParamsPluginData.Builder data) {
    // TensorBoard reads the plugin's content; the tensor only has to be there.
    summary(
        0,
        Summary.Value.newBuilder()
            .setTag(tag)
            .setMetadata(plugin("hparams", data.build().toByteString()))
            .setTensor(
                TensorProto.newBuilder()
                    .setDtype(1)
                    .setTensorShape(TensorShapeProto.getDefaultInstance())));
  }

  private static SummaryMetadata plugin(String name, ByteString content) {
    return SummaryMetadata.newBuilder()
        .setPluginData(
            SummaryMetadata.PluginData.newBuilder().setPluginName(name).setContent(content))
        .setDataClass(DataClass.DATA_CLASS_TENSOR)
        .build();
  }

  private void summary(long step, Summary.Value.Builder value) {
    writer.write(EventWriter.event(step).setSummary(Summary.newBuilder().addValue(value)).build());
  }

  @Override
  public void close() {
    writer.close();
  }
}
