"""Networks of timm: its smallest variant, or fewer and narrower layers by its own options or with an eighth of the channels."""

import torch

from .narrow import narrow

ARCHITECTURES = {}


def model(name, size=64, narrowed=False, **options):
    def build():
        import timm

        settings = dict(num_classes=5, pretrained=False, **options)
        if narrowed:
            with narrow():
                net = timm.create_model(name, **settings)
        else:
            net = timm.create_model(name, **settings)
        return net, {"image": torch.randn(2, 3, size, size)}, True

    ARCHITECTURES[f"timm-{name}"] = build


for _name in ("test_convnext", "test_convnext2", "test_byobnet", "test_efficientnet", "test_efficientnet_gn", "test_efficientnet_evos", "test_efficientnet_ln",
              "test_mambaout", "test_nfnet", "test_resnet", "test_vit", "test_vit2", "test_vit4"):
    model(_name)
for _name in ("resnet10t", "seresnext26t_32x4d", "ecaresnet26t", "resnest14d", "dla46_c", "selecsls42", "hrnet_w18_small",
              "ese_vovnet19b_slim", "darknet17", "xception41", "inception_v4", "inception_resnet_v2", "resnetv2_50", "repvgg_a0",
              "hgnetv2_b0", "nf_resnet26", "gernet_s"):
    model(_name, 96 if "inception" in _name else 64, narrowed=True)
for _name in ("ghostnet_050", "mobilenetv3_small_050", "lcnet_035", "tinynet_e", "mnasnet_small", "mixnet_s", "regnety_002", "starnet_s050",
              "edgenext_xx_small", "mobilevit_xxs", "mobilevitv2_050", "repghostnet_050", "efficientvit_b0", "swiftformer_xs", "fasternet_t0"):
    model(_name)
model("test_vit3", 160)
model("convnext_atto", depths=(1, 1, 2, 1), dims=(8, 16, 24, 32))
model("convnextv2_atto", depths=(1, 1, 2, 1), dims=(8, 16, 24, 32))
model("vit_tiny_patch16_224", 32, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
model("vit_relpos_small_patch16_224", 32, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
model("deit_tiny_distilled_patch16_224", 32, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
model("beit_base_patch16_224", 32, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
model("eva02_tiny_patch14_224", 32, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
model("cait_xxs24_224", 32, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
model("convit_tiny", 32, img_size=32, patch_size=8, embed_dim=24, depth=3, num_heads=3, local_up_to_layer=2)
model("xcit_nano_12_p8_224", 32, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3)
model("pvt_v2_b0", depths=(1, 1, 1, 1), embed_dims=(8, 16, 32, 32), num_heads=(1, 2, 2, 2))
model("swin_tiny_patch4_window7_224", 32, img_size=32, window_size=4, embed_dim=12, depths=(2, 2), num_heads=(2, 2))
model("swinv2_tiny_window8_256", 32, img_size=32, window_size=4, embed_dim=12, depths=(2, 2), num_heads=(2, 2))
model("twins_svt_small", embed_dims=(16, 16, 32, 32), num_heads=(2, 2, 2, 2), depths=(1, 1, 1, 1), img_size=64)
model("tnt_s_patch16_224", 32, img_size=32, patch_size=16, embed_dim=24, inner_dim=8, depth=2, num_heads_inner=2, num_heads_outer=2)
model("pit_ti_224", img_size=64, base_dims=(8, 8, 8), depth=(1, 1, 1), heads=(2, 2, 2))
model("coat_lite_tiny", img_size=64, embed_dims=(64, 64, 64, 64), serial_depths=(1, 1, 1, 1))
model("davit_tiny", 64, embed_dims=(16, 16, 32, 32), depths=(1, 1, 1, 1), num_heads=(2, 2, 2, 2))
model("hiera_tiny_224", img_size=64, embed_dim=16, stages=(1, 1, 1, 1))
model("sequencer2d_s", 64, img_size=64, embed_dims=(16, 16, 16, 16), layers=(1, 1, 1, 1), hidden_sizes=(8, 8, 8, 8))
model("visformer_tiny", img_size=64, embed_dim=32, depth=(1, 1, 1), num_heads=2)
model("inception_next_atto", depths=(1, 1, 1, 1), dims=(16, 16, 32, 32))
model("levit_128s", img_size=64, embed_dim=(16, 24, 32), key_dim=8, num_heads=(2, 2, 2), depth=(1, 1, 1))
model("fastvit_t8", 64)


def made(name, module, kind, size=32, **options):
    """Where the function that makes a model leaves its sizes to nobody: the class itself."""

    def build():
        import importlib

        net = getattr(importlib.import_module(f"timm.models.{module}"), kind)(num_classes=5, **options)
        return net, {"image": torch.randn(2, 3, size, size)}, True

    ARCHITECTURES[f"timm-{name}"] = build


made("mixer", "mlp_mixer", "MlpMixer", img_size=32, patch_size=8, embed_dim=24, num_blocks=2)
made("convmixer", "convmixer", "ConvMixer", dim=16, depth=2)
made("poolformer", "metaformer", "MetaFormer", 64, depths=(1, 1, 1, 1), dims=(8, 16, 24, 32))
made("focalnet", "focalnet", "FocalNet", 64, embed_dim=8, depths=(1, 1, 1, 1))
made("volo", "volo", "VOLO", 32, img_size=32, layers=(1, 1, 1, 1), embed_dims=(24, 32, 32, 32), num_heads=(2, 2, 2, 2), downsamples=(True, False, False, False), outlook_attention=(True, False, False, False))
made("nest", "nest", "Nest", 64, img_size=64, num_levels=2, embed_dims=(16, 16), num_heads=(2, 2), depths=(1, 1))
made("crossvit", "crossvit", "CrossVit", 48, img_size=48, img_scale=(1.0, 1.0), patch_size=(8, 16), embed_dim=(16, 32), depth=((1, 1, 0),), num_heads=(2, 2), mlp_ratio=(2.0, 2.0, 1.0))
