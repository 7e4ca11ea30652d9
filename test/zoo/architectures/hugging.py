"""Networks of Hugging Face's transformers from a tiny configuration; nothing is downloaded."""

import torch

ARCHITECTURES = {}
VOCABULARY, ROWS, LENGTH = 30, 2, 8


def model(name, config, kind, inputs, **settings):
    """Registers the class `kind` of transformers on the configuration of class `config`. `settings` may hold nested ones, as dictionaries."""

    def build(attention=None):
        import transformers

        given = {"use_cache": False, "dropout": 0.0, "attention_dropout": 0.0, **settings}
        made = getattr(transformers, config)(**given)
        net = getattr(transformers, kind)._from_config(made, **({} if attention is None else {"attn_implementation": attention}))
        return net, inputs(), False

    ARCHITECTURES[f"transformers-{name}"] = build


def ids(length=LENGTH):
    return torch.randint(4, VOCABULARY, (ROWS, length))


def text(length=LENGTH):
    mask = torch.ones(ROWS, length, dtype=torch.long)
    mask[1, -2:] = 0
    return {"input_ids": ids(length), "attention_mask": mask}


def boxes():
    corners = torch.randint(0, 10, (ROWS, LENGTH, 2))
    return torch.cat([corners, corners + torch.randint(1, 10, (ROWS, LENGTH, 2))], -1)


def unmasked():
    return {"input_ids": ids()}


def pair():
    return {**text(), "decoder_input_ids": ids(5)}


def image(size=32, channels=3):
    return lambda: {"pixel_values": torch.randn(ROWS, channels, size, size)}


def video(frames=4, size=32):
    return lambda: {"pixel_values": torch.randn(ROWS, frames, 3, size, size)}


def sound(length=800):
    return lambda: {"input_values": torch.randn(ROWS, length)}


SIZES = dict(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, max_position_embeddings=32)
SHORT = {**SIZES, "type_vocab_size": 2}


def encoder(name, prefix, head="Model", inputs=text, **settings):
    model(name, f"{prefix}Config", f"{prefix}{head}", inputs, **{**SHORT, "pad_token_id": 1, **settings})


encoder("bert", "Bert")
encoder("bert-classifier", "Bert", "ForSequenceClassification")
encoder("bert-tokens", "Bert", "ForTokenClassification")
encoder("bert-masked", "Bert", "ForMaskedLM")
encoder("roberta", "Roberta", "ForSequenceClassification")
encoder("xlm-roberta", "XLMRoberta")
encoder("camembert", "Camembert", "ForMaskedLM")
encoder("electra", "Electra", embedding_size=8)
encoder("albert", "Albert", embedding_size=8)
encoder("mpnet", "MPNet")
encoder("deberta", "Deberta", relative_attention=True, pos_att_type=["p2c", "c2p"], max_relative_positions=8, position_biased_input=False)
encoder("deberta-v2", "DebertaV2", relative_attention=True, pos_att_type=["p2c", "c2p"], max_relative_positions=8, position_buckets=4)
encoder("layoutlm", "LayoutLM", inputs=lambda: {**text(), "bbox": boxes()}, max_2d_position_embeddings=32)
encoder("big-bird", "BigBird", attention_type="original_full")
encoder("nystromformer", "Nystromformer", num_landmarks=8, segment_means_seq_len=8)
encoder("convbert", "ConvBert", embedding_size=16, head_ratio=1, conv_kernel_size=3)
encoder("rembert", "RemBert", input_embedding_size=8, output_embedding_size=8)
encoder("roformer", "RoFormer", embedding_size=16)
encoder("megatron-bert", "MegatronBert")
encoder("ernie", "Ernie")
encoder("esm", "Esm", position_embedding_type="rotary", mask_token_id=2)
encoder("ibert", "IBert")
encoder("mobilebert", "MobileBert", embedding_size=8, intra_bottleneck_size=16, true_hidden_size=16, num_feedforward_networks=2)
encoder("squeezebert", "SqueezeBert", embedding_size=16, q_groups=2, k_groups=2, v_groups=2, post_attention_groups=1, intermediate_groups=2, output_groups=2)
encoder("splinter", "Splinter")
encoder("roberta-prelayernorm", "RobertaPreLayerNorm")
encoder("data2vec-text", "Data2VecText")
encoder("fnet", "FNet", inputs=unmasked, use_tpu_fourier_optimizations=False)
encoder("lilt", "Lilt", inputs=lambda: {**text(), "bbox": boxes()}, hidden_size=24, channel_shrink_ratio=2, max_2d_position_embeddings=32)
encoder("modernbert", "ModernBert", global_attn_every_n_layers=2, local_attention=4)
encoder("canine", "Canine", num_hash_buckets=16, downsampling_rate=2, local_transformer_stride=8)
encoder("yoso", "Yoso", use_expectation=True)
encoder("longformer", "Longformer", attention_window=[4, 4], max_position_embeddings=40)
model("distilbert", "DistilBertConfig", "DistilBertForSequenceClassification", text, vocab_size=VOCABULARY, dim=16, n_layers=2, n_heads=2, hidden_dim=24, max_position_embeddings=32)
model("xlnet", "XLNetConfig", "XLNetModel", text, vocab_size=VOCABULARY, d_model=16, n_layer=2, n_head=2, d_inner=24)
model("funnel", "FunnelConfig", "FunnelModel", text, vocab_size=VOCABULARY, block_sizes=[1, 1], num_decoder_layers=1, d_model=16, n_head=2, d_head=8, d_inner=24)
model("flaubert", "FlaubertConfig", "FlaubertModel", text, vocab_size=VOCABULARY, emb_dim=16, n_layers=2, n_heads=2, max_position_embeddings=32)
model("xlm", "XLMConfig", "XLMModel", text, vocab_size=VOCABULARY, emb_dim=16, n_layers=2, n_heads=2, max_position_embeddings=32)
model("layoutlmv3", "LayoutLMv3Config", "LayoutLMv3Model",
      lambda: {**text(), "bbox": boxes(), **image(32)()}, **SHORT, max_2d_position_embeddings=32, coordinate_size=2,
      shape_size=4, rel_pos_bins=8, rel_2d_pos_bins=8, max_rel_pos=16, max_rel_2d_pos=16, input_size=32, patch_size=16)

DECODER = {**SIZES, "num_key_value_heads": 1, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


def decoder(name, prefix, head="ForCausalLM", inputs=text, **settings):
    model(name, f"{prefix}Config", f"{prefix}{head}", inputs, **{**DECODER, **settings})


for _name in ("Llama", "Mistral", "Qwen2", "Qwen3", "Gemma", "Gemma2", "Phi", "Phi3", "StableLm", "Starcoder2", "Cohere", "Olmo", "Olmo2", "Granite", "Persimmon", "Glm",
              "SmolLM3", "Helium", "Nemotron", "DiffLlama", "Exaone4"):
    _special = {
        "Gemma": dict(head_dim=8), "Gemma2": dict(head_dim=8, sliding_window=4), "Qwen3": dict(head_dim=8), "Glm": dict(head_dim=8), "Helium": dict(head_dim=8),
        "Mistral": dict(sliding_window=4), "Exaone4": dict(sliding_window=4), "DiffLlama": dict(num_key_value_heads=2), "Persimmon": dict(num_key_value_heads=2),
    }.get(_name, {})
    decoder(_name.lower(), _name, **_special)
decoder("mixtral", "Mixtral", num_local_experts=2, num_experts_per_tok=1)
decoder("qwen2-moe", "Qwen2Moe", num_experts=2, num_experts_per_tok=1, moe_intermediate_size=16, shared_expert_intermediate_size=16)
decoder("falcon", "Falcon", alibi=False, new_decoder_architecture=False, multi_query=True)
decoder("falcon-alibi", "Falcon", alibi=True, multi_query=False)
decoder("gpt-neox", "GPTNeoX")
decoder("opt", "OPT", ffn_dim=24, word_embed_proj_dim=16)
decoder("bloom", "Bloom", n_layer=2, n_head=2)
decoder("gpt2", "GPT2", "LMHeadModel", n_embd=16, n_layer=2, n_head=2, n_positions=32)
decoder("gpt-neo", "GPTNeo", num_layers=2, num_heads=2, attention_types=[[["global", "local"], 1]], window_size=4)
decoder("gptj", "GPTJ", n_embd=16, n_layer=2, n_head=2, rotary_dim=4, n_positions=32)
decoder("codegen", "CodeGen", n_embd=16, n_layer=2, n_head=4, rotary_dim=4, n_positions=32)
decoder("gpt-bigcode", "GPTBigCode", n_embd=16, n_layer=2, n_head=2, n_positions=32)
decoder("mpt", "Mpt", d_model=16, n_layers=2, n_heads=2, max_seq_len=32)
decoder("ctrl", "CTRL", "LMHeadModel", n_embd=16, dff=24, n_layer=2, n_head=2, n_positions=32)
decoder("openai-gpt", "OpenAIGPT", "LMHeadModel", n_embd=16, n_layer=2, n_head=2, n_positions=32)
decoder("biogpt", "BioGpt")
decoder("xglm", "XGLM", d_model=16, num_layers=2, attention_heads=2, ffn_dim=24)
decoder("mamba", "Mamba", inputs=unmasked, state_size=4, time_step_rank=2)
decoder("mamba2", "Mamba2", inputs=unmasked, state_size=4, num_heads=4, head_dim=8, n_groups=1, expand=2, chunk_size=4)
decoder("rwkv", "Rwkv", inputs=unmasked, attention_hidden_size=16)
decoder("recurrent-gemma", "RecurrentGemma", inputs=unmasked, lru_width=16, attention_window_size=8, num_hidden_layers=3)
decoder("imagegpt", "ImageGPT", "Model", inputs=unmasked, n_embd=16, n_layer=2, n_head=2, n_positions=32)

SEQ2SEQ = dict(vocab_size=VOCABULARY, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24,
               decoder_ffn_dim=24, max_position_embeddings=32, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=None)
for _name, _prefix, _head in (("bart", "Bart", "ForConditionalGeneration"), ("mbart", "MBart", "ForConditionalGeneration"), ("pegasus", "Pegasus", "ForConditionalGeneration"),
                              ("marian", "Marian", "MTModel"), ("blenderbot", "Blenderbot", "ForConditionalGeneration"), ("m2m100", "M2M100", "ForConditionalGeneration"),
                              ("plbart", "PLBart", "ForConditionalGeneration"), ("blenderbot-small", "BlenderbotSmall", "ForConditionalGeneration")):
    model(_name, f"{_prefix}Config", f"{_prefix}{_head}", pair, **SEQ2SEQ)
model("led", "LEDConfig", "LEDForConditionalGeneration", pair, **SEQ2SEQ, attention_window=[4], max_encoder_position_embeddings=32, max_decoder_position_embeddings=32)
model("prophetnet", "ProphetNetConfig", "ProphetNetForConditionalGeneration", pair, vocab_size=VOCABULARY, hidden_size=16, num_encoder_layers=1, num_decoder_layers=1,
      num_encoder_attention_heads=2, num_decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, max_position_embeddings=32, num_buckets=4, relative_max_distance=8)
T5 = dict(vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2, relative_attention_num_buckets=8, dropout_rate=0.0, decoder_start_token_id=0)
model("t5", "T5Config", "T5ForConditionalGeneration", pair, **T5)
model("t5-encoder", "T5Config", "T5EncoderModel", text, **T5)
model("mt5", "MT5Config", "MT5ForConditionalGeneration", pair, **T5)
model("umt5", "UMT5Config", "UMT5ForConditionalGeneration", pair, **T5)
model("switch", "SwitchTransformersConfig", "SwitchTransformersForConditionalGeneration", pair, **T5, num_experts=2)

PATCHES = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, image_size=32, patch_size=8)
for _name, _prefix, _head in (("vit", "ViT", "ForImageClassification"), ("deit", "DeiT", "ForImageClassification"), ("vit-mae-encoder", "ViTMAE", "Model"),
                              ("vit-msn", "ViTMSN", "Model"), ("dinov2", "Dinov2", "Model"), ("dinov2-registers", "Dinov2WithRegisters", "Model"), 
                              ("ijepa", "IJepa", "Model"), ("dinov3", "DINOv3ViT", "Model"), ("vitdet", "VitDet", "Model")):
    model(_name, f"{_prefix}Config", f"{_prefix}{_head}", image(), **PATCHES, **({"mask_ratio": 0.0} if _prefix == "ViTMAE" else {}))
model("beit", "BeitConfig", "BeitForImageClassification", image(), **PATCHES, use_relative_position_bias=True)
model("data2vec-vision", "Data2VecVisionConfig", "Data2VecVisionModel", image(), **PATCHES, use_shared_relative_position_bias=True)
STAGES = dict(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4)
model("swin", "SwinConfig", "SwinForImageClassification", image(), **STAGES)
model("swinv2", "Swinv2Config", "Swinv2Model", image(), **STAGES)
model("swin2sr", "Swin2SRConfig", "Swin2SRModel", image(), image_size=32, patch_size=1, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4)
model("focalnet", "FocalNetConfig", "FocalNetModel", image(), image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], focal_levels=[2, 2], focal_windows=[3, 3], hidden_sizes=[8, 16])
model("convnext", "ConvNextConfig", "ConvNextForImageClassification", image(), hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])
model("convnextv2", "ConvNextV2Config", "ConvNextV2Model", image(), hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])
model("resnet", "ResNetConfig", "ResNetForImageClassification", image(), embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
model("regnet", "RegNetConfig", "RegNetModel", image(), embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], groups_width=8)
model("bit", "BitConfig", "BitModel", image(), embedding_size=8, hidden_sizes=[32, 32], depths=[1, 1], num_groups=4)
model("segformer", "SegformerConfig", "SegformerForSemanticSegmentation", image(64), depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 2, 2, 2], decoder_hidden_size=16)
model("poolformer", "PoolFormerConfig", "PoolFormerModel", image(64), depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16])
model("pvt", "PvtConfig", "PvtModel", image(64), image_size=64, depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 2, 2, 2])
model("mobilevit", "MobileViTConfig", "MobileViTModel", image(64), image_size=64, hidden_sizes=[16, 16, 16], neck_hidden_sizes=[8, 8, 8, 16, 16, 16, 32], num_attention_heads=2)
model("mobilenet-v1", "MobileNetV1Config", "MobileNetV1Model", image(64), depth_multiplier=0.25)
model("levit", "LevitConfig", "LevitModel", image(64), image_size=64, hidden_sizes=[16, 24, 32], num_attention_heads=[2, 2, 2], depths=[1, 1, 1], key_dim=[8, 8, 8])
model("yolos", "YolosConfig", "YolosModel", image(), **{**PATCHES, "image_size": [32, 32]})
model("dpt", "DPTConfig", "DPTForDepthEstimation", image(), **{**PATCHES, "num_hidden_layers": 4}, backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8)
model("glpn", "GLPNConfig", "GLPNForDepthEstimation", image(64), depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 2, 2, 2], decoder_hidden_size=8)
model("hiera", "HieraConfig", "HieraModel", image(64), image_size=[64, 64], embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 2])
model("videomae", "VideoMAEConfig", "VideoMAEModel", video(), **PATCHES, num_frames=4)
model("timesformer", "TimesformerConfig", "TimesformerModel", video(), **PATCHES, num_frames=4)
model("vivit", "VivitConfig", "VivitModel", video(), **{**PATCHES, "patch_size": None} , num_frames=4, tubelet_size=[2, 8, 8])

WORDS = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, vocab_size=VOCABULARY, max_position_embeddings=16, bos_token_id=0, eos_token_id=2, pad_token_id=1)


def both():
    return {**text(), **image()()}


model("clip", "CLIPConfig", "CLIPModel", both, text_config={**WORDS, "projection_dim": 12}, vision_config={**PATCHES, "projection_dim": 12}, projection_dim=12)
model("siglip", "SiglipConfig", "SiglipModel", lambda: {"input_ids": ids(), **image()()}, text_config=WORDS, vision_config=PATCHES)
model("clipseg", "CLIPSegConfig", "CLIPSegModel", both, text_config=WORDS, vision_config=PATCHES, projection_dim=12)
model("altclip", "AltCLIPConfig", "AltCLIPModel", both, text_config={**SHORT, "project_dim": 12, "pad_token_id": 1}, vision_config=PATCHES, projection_dim=12)
model("chinese-clip", "ChineseCLIPConfig", "ChineseCLIPModel", both, text_config=SHORT, vision_config=PATCHES, projection_dim=12)
model("groupvit", "GroupViTConfig", "GroupViTModel", both, text_config=WORDS, vision_config={**PATCHES, "depths": [1, 1], "num_group_tokens": [4, 0], "num_output_groups": [2, 4]}, projection_dim=12, projection_intermediate_dim=16)
model("owlvit", "OwlViTConfig", "OwlViTModel", both, text_config={**WORDS}, vision_config=PATCHES, projection_dim=12)
model("blip", "BlipConfig", "BlipModel", both, text_config=WORDS, vision_config=PATCHES, projection_dim=12)
model("vilt", "ViltConfig", "ViltModel", both, **SHORT, image_size=32, patch_size=8, max_image_length=-1)
model("flava-text", "FlavaTextConfig", "FlavaTextModel", text, **SHORT)
model("clap-text", "ClapTextConfig", "ClapTextModel", text, **SHORT)

SPEECH = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, conv_dim=[8, 8], conv_stride=[5, 2], conv_kernel=[10, 3], num_conv_pos_embeddings=8,
              num_conv_pos_embedding_groups=2, num_feat_extract_layers=2, hidden_dropout=0.0, layerdrop=0.0, mask_time_prob=0.0, vocab_size=VOCABULARY, feat_extract_norm="group")
for _name, _prefix, _head in (("wav2vec2", "Wav2Vec2", "ForCTC"), ("hubert", "Hubert", "Model"), ("wavlm", "WavLM", "Model"), ("unispeech", "UniSpeech", "Model"), ("sew", "SEW", "Model"),
                              ("wav2vec2-conformer", "Wav2Vec2Conformer", "Model"), ("data2vec-audio", "Data2VecAudio", "Model")):
    model(_name, f"{_prefix}Config", f"{_prefix}{_head}", sound(400), **SPEECH, **({"position_embeddings_type": "relative"} if "conformer" in _name else {}))
model("whisper", "WhisperConfig", "WhisperForConditionalGeneration", lambda: {"input_features": torch.randn(ROWS, 8, 20), "decoder_input_ids": ids(5)},
      **{**SEQ2SEQ, "vocab_size": 60, "pad_token_id": 50, "bos_token_id": 50, "eos_token_id": 50}, num_mel_bins=8, max_source_positions=10, max_target_positions=12)
model("speech-to-text", "Speech2TextConfig", "Speech2TextForConditionalGeneration", lambda: {"input_features": torch.randn(ROWS, 20, 8), "decoder_input_ids": ids(5)},
      **SEQ2SEQ, input_feat_per_channel=8, conv_channels=8, max_source_positions=40, max_target_positions=12)
model("audio-spectrogram", "ASTConfig", "ASTModel", lambda: {"input_values": torch.randn(ROWS, 24, 16)}, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
      patch_size=8, frequency_stride=4, time_stride=4, max_length=24, num_mel_bins=16)


def series(context=12, future=4, lags=3):
    past = context + lags
    return {"past_values": torch.rand(ROWS, past), "past_time_features": torch.randn(ROWS, past, 2), "past_observed_mask": torch.ones(ROWS, past),
            "future_values": torch.rand(ROWS, future), "future_time_features": torch.randn(ROWS, future, 2)}


FORECAST = dict(prediction_length=4, context_length=12, lags_sequence=[1, 2, 3], num_time_features=2, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
                decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, scaling="mean")
model("time-series", "TimeSeriesTransformerConfig", "TimeSeriesTransformerModel", series, **FORECAST)
model("informer", "InformerConfig", "InformerModel", series, **FORECAST, attention_type="full")
model("informer-sparse", "InformerConfig", "InformerModel", series, **FORECAST, attention_type="prob", sampling_factor=2)
model("autoformer", "AutoformerConfig", "AutoformerModel", series, **FORECAST, moving_average=3, label_length=4, autocorrelation_factor=1)
model("patchtst", "PatchTSTConfig", "PatchTSTForPrediction", lambda: {"past_values": torch.randn(ROWS, 16, 2)}, num_input_channels=2, context_length=16, patch_length=4, patch_stride=4,
      num_hidden_layers=1, d_model=16, num_attention_heads=2, ffn_dim=24, prediction_length=4, head_dropout=0.0)
model("patchtsmixer", "PatchTSMixerConfig", "PatchTSMixerForPrediction", lambda: {"past_values": torch.randn(ROWS, 16, 2)}, num_input_channels=2, context_length=16, patch_length=4,
      patch_stride=4, num_layers=1, d_model=8, prediction_length=4, head_dropout=0.0)
model("perceiver", "PerceiverConfig", "PerceiverModel", lambda: {"inputs": torch.randn(ROWS, 6, 8)}, num_latents=4, d_latents=16, d_model=8, num_blocks=1, num_self_attends_per_block=1,
      num_self_attention_heads=2, num_cross_attention_heads=2, qk_channels=16, v_channels=16, attention_probs_dropout_prob=0.0)
model("decision-transformer", "DecisionTransformerConfig", "DecisionTransformerModel",
      lambda: {"states": torch.randn(ROWS, 3, 4), "actions": torch.randn(ROWS, 3, 2), "rewards": torch.randn(ROWS, 3, 1), "returns_to_go": torch.randn(ROWS, 3, 1),
               "timesteps": torch.arange(3)[None].repeat(ROWS, 1), "attention_mask": torch.ones(ROWS, 3)},
      state_dim=4, act_dim=2, hidden_size=16, n_layer=2, n_head=2, n_positions=32, max_ep_len=16)
